-- After the bytes are gone.
DELETE FROM dropped_blobs WHERE blob_key = @blob_key;
