-- Loses against a cancel, a pause and a takeover. Without the final checkpoint there is no model, hence no success.
UPDATE jobs SET status = 'succeeded', finished_at = @now, trained_tokens = @trained_tokens, result_file = @result_file,
                run_id = NULL, estimated_finish = NULL
WHERE id = @job_id AND run_id = @run_id AND fence = @fence AND status = 'running'
  AND EXISTS (SELECT 1 FROM checkpoints WHERE job_id = jobs.id AND is_final = 1)
RETURNING *;
