-- An expired file is gone for the user at once, though its row waits for the next sweep.
SELECT * FROM files WHERE id = @id AND (expires_at IS NULL OR expires_at > @now);
