-- The run stays attached, so that its worker can save a checkpoint and a run state before it lets go.
UPDATE jobs SET status = 'paused', estimated_finish = NULL
WHERE id = @id AND status IN ('queued', 'running')
RETURNING *;
