-- Replaces a key that has outlived itself.
INSERT INTO idempotency_keys (key, request_hash, job_id, created_at) VALUES (@key, @request_hash, @job_id, @now)
ON CONFLICT (key) DO UPDATE SET request_hash = excluded.request_hash, job_id = excluded.job_id, created_at = excluded.created_at;
