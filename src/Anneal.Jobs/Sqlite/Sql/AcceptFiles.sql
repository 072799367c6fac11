-- Loses against a cancel that came during the check.
UPDATE jobs SET status = 'queued', hyperparameters = @hyperparameters, available_at = @now
WHERE id = @id AND status = 'validating_files'
RETURNING *;
