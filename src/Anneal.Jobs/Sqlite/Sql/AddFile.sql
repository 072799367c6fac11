-- The blob is already on disk: a row never refers to bytes that may be missing.
INSERT INTO files (id, file_name, purpose, bytes, sha256, blob_key, created_at, expires_at, status, status_details)
VALUES (@id, @file_name, @purpose, @bytes, @sha256, @blob_key, @created_at, @expires_at, @status, @status_details);
