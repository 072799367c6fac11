-- Loses against a cancel that came during the check.
UPDATE jobs SET status = 'failed', finished_at = @now, error_code = @code, error_message = @message, error_param = @param
WHERE id = @id AND status = 'validating_files'
RETURNING *;
