-- After the guard of the same transaction.
INSERT INTO run_states (job_id, step, blob_key, bytes, sha256, created_at)
VALUES (@job_id, @step, @blob_key, @bytes, @sha256, @now);
