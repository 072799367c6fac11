-- Detaching the run makes every later write of its worker miss its guard. The run itself ends when the worker says so or
-- its lease runs out: until then it counts as using the machine.
UPDATE jobs SET status = 'cancelled', finished_at = @now, run_id = NULL, estimated_finish = NULL
WHERE id = @id AND status NOT IN ('succeeded', 'failed', 'cancelled')
RETURNING *;
