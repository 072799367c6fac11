-- All but the newest @keep, except those that a job in progress starts from.
SELECT id, model_name FROM checkpoints
WHERE job_id = @job_id
  AND step NOT IN (SELECT step FROM checkpoints WHERE job_id = @job_id ORDER BY step DESC LIMIT @keep)
  AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE model = checkpoints.model_name AND status NOT IN ('succeeded', 'failed', 'cancelled'));
