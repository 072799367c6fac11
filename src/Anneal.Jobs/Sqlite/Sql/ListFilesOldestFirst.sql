-- The other direction has a statement of its own, so that both walk the primary key.
SELECT * FROM files
WHERE ordinal > @after AND (@purpose IS NULL OR purpose = @purpose) AND (expires_at IS NULL OR expires_at > @now)
ORDER BY ordinal LIMIT @limit + 1;
