-- Looked up by hash, so no comparison of secrets takes place here.
SELECT * FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;
