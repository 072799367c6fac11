-- A run that has not let go yet stays attached; the claim waits for it.
UPDATE jobs SET status = 'queued', available_at = @now
WHERE id = @id AND status = 'paused'
RETURNING *;
