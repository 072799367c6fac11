-- Only the hash: whoever steals this file has no key.
INSERT INTO api_keys (id, name, hash, tail, created_at, revoked_at) VALUES (@id, @name, @hash, @tail, @created_at, @revoked_at);
