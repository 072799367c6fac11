-- Never shortens: a heartbeat that was delayed on its way must not take time away.
UPDATE runs SET lease_expires_at = MAX(lease_expires_at, @until)
WHERE id = @run_id AND fence = @fence AND ended_at IS NULL;
