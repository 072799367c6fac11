-- The poison-pill guard. A death beyond the last one's step starts the count anew; @max deaths at one step fail the job.
-- The first restart is immediate, later ones wait a little longer each.
UPDATE jobs SET
  status = CASE WHEN crash_step >= step_reached AND crash_count + 1 >= @max THEN 'failed' ELSE 'queued' END,
  finished_at = CASE WHEN crash_step >= step_reached AND crash_count + 1 >= @max THEN @now END,
  error_code = CASE WHEN crash_step >= step_reached AND crash_count + 1 >= @max THEN 'server_error' END,
  error_message = CASE WHEN crash_step >= step_reached AND crash_count + 1 >= @max THEN @message END,
  available_at = @now + CASE WHEN crash_step >= step_reached THEN crash_count * @delay ELSE 0 END,
  crash_count = CASE WHEN crash_step >= step_reached THEN crash_count + 1 ELSE 1 END,
  crash_step = step_reached,
  run_id = NULL,
  estimated_finish = NULL
WHERE id = @job_id AND run_id = @run_id AND fence = @fence AND status = 'running'
RETURNING *;
