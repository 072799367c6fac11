-- In the transaction of the claim.
INSERT INTO runs (id, job_id, fence, token_hash, claimed_at, lease_expires_at)
VALUES (@id, @job_id, @fence, @token_hash, @now, @lease_expires_at)
RETURNING *;
