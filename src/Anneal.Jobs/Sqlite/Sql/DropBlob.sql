-- Marks a blob for deletion in the transaction that dropped the last reference to it.
INSERT INTO dropped_blobs (blob_key) VALUES (@blob_key) ON CONFLICT (blob_key) DO NOTHING;
