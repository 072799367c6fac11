-- The first ending stands.
UPDATE runs SET ended_at = @now, ending = @ending WHERE id = @run_id AND fence = @fence AND ended_at IS NULL;
