-- Loses against a heartbeat that came after the rescuer looked.
UPDATE runs SET ended_at = @now, ending = 'lost'
WHERE id = @run_id AND fence = @fence AND ended_at IS NULL AND lease_expires_at <= @now;
