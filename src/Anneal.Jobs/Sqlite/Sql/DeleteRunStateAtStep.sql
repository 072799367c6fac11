-- A state saved again replaces the old one, which may be the damaged one that made the run go back.
DELETE FROM run_states WHERE job_id = @job_id AND step = @step RETURNING blob_key;
