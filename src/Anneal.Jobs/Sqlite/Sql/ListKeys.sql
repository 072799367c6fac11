-- Revoked keys stay in the list, so that a log can be read later.
SELECT * FROM api_keys ORDER BY ordinal DESC;
