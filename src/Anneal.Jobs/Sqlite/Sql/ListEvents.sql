-- Newest first, along the primary key.
SELECT * FROM events WHERE job_id = @job_id AND sequence < @after ORDER BY sequence DESC LIMIT @limit + 1;
