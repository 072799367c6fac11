-- A resumed run makes the checkpoints since its run state again.
SELECT * FROM checkpoints WHERE job_id = @job_id AND step = @step;
