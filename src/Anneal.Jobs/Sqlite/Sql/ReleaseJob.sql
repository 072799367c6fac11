-- A running job goes back to the queue; a paused one stays paused; one resumed meanwhile can now be claimed.
UPDATE jobs SET status = CASE status WHEN 'running' THEN 'queued' ELSE status END,
                run_id = NULL, estimated_finish = NULL, available_at = @now
WHERE id = @job_id AND run_id = @run_id AND fence = @fence
RETURNING *;
