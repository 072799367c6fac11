-- Highest step first, along UNIQUE (job_id, step).
SELECT * FROM checkpoints WHERE job_id = @job_id AND step < @after ORDER BY step DESC LIMIT @limit + 1;
