-- One statement picks and takes, so two claims cannot pick the same job. A job whose last run has not let go waits.
UPDATE jobs SET status = 'running', run_id = @run_id, fence = fence + 1, started_at = COALESCE(started_at, @now)
WHERE ordinal = (
  SELECT ordinal FROM jobs
  WHERE status = 'queued' AND run_id IS NULL AND available_at <= @now
  ORDER BY ordinal LIMIT 1)
RETURNING *;
