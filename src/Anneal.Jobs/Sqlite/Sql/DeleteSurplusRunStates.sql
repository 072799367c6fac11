-- The newest by time, not by step: after a damaged state the job goes on from an earlier step.
DELETE FROM run_states
WHERE job_id = @job_id
  AND ordinal NOT IN (SELECT ordinal FROM run_states WHERE job_id = @job_id ORDER BY ordinal DESC LIMIT @keep)
RETURNING blob_key;
