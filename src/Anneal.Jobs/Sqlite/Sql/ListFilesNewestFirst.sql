-- One row more than the page tells whether another page follows.
SELECT * FROM files
WHERE ordinal < @after AND (@purpose IS NULL OR purpose = @purpose) AND (expires_at IS NULL OR expires_at > @now)
ORDER BY ordinal DESC LIMIT @limit + 1;
