-- A resumed run reports again the steps since its run state.
SELECT EXISTS (SELECT 1 FROM events WHERE job_id = @job_id AND step = @step);
