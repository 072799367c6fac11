-- What the rescuer looks at.
SELECT * FROM runs WHERE ended_at IS NULL AND lease_expires_at <= @now ORDER BY lease_expires_at;
