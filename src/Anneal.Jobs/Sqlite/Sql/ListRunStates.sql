-- Newest first: a run takes the first that is undamaged.
SELECT * FROM run_states WHERE job_id = @job_id ORDER BY ordinal DESC;
