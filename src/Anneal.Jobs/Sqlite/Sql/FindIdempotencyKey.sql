-- Keys older than their life are as if never seen.
SELECT request_hash, job_id FROM idempotency_keys WHERE key = @key AND created_at > @since;
