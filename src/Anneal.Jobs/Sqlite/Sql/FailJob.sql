-- Loses against a cancel, a pause and a takeover.
UPDATE jobs SET status = 'failed', finished_at = @now, error_code = @code, error_message = @message, error_param = @param,
                run_id = NULL, estimated_finish = NULL
WHERE id = @job_id AND run_id = @run_id AND fence = @fence AND status = 'running'
RETURNING *;
