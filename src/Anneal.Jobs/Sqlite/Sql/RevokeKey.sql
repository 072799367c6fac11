-- The first revocation's time stands.
UPDATE api_keys SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL;
