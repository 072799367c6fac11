-- The blobs behind a checkpoint.
SELECT json_extract(file.value, '$.blob_key') FROM checkpoints, json_each(checkpoints.files) AS file
WHERE checkpoints.id = @id;
