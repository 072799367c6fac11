-- What the machine is doing now.
SELECT * FROM runs WHERE ended_at IS NULL ORDER BY claimed_at, id;
