-- After the guard of the same transaction.
INSERT INTO checkpoints (id, job_id, step, is_final, model_name, created_at, metrics, files)
VALUES (@id, @job_id, @step, @is_final, @model_name, @now, @metrics, @files)
RETURNING *;
