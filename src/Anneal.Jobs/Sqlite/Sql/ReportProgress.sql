-- The guard of every write of a worker: the run must still hold the job. The status returned tells what to do next.
UPDATE jobs SET
  step_reached = MAX(step_reached, @step),
  estimated_finish = CASE WHEN status = 'running' THEN @estimated_finish END
WHERE id = @job_id AND run_id = @run_id AND fence = @fence
RETURNING status;
