-- The number is taken inside the statement; the writer lock makes the order of numbers the order of commits.
INSERT INTO events (job_id, sequence, id, created_at, level, message, step, data)
SELECT @job_id, COALESCE(MAX(sequence), 0) + 1, @id, @now, @level, @message, @step, @data
FROM events WHERE job_id = @job_id;
