-- At the start of a server, whose absence kept the workers' heartbeats away.
UPDATE runs SET lease_expires_at = MAX(lease_expires_at, @until) WHERE ended_at IS NULL;
