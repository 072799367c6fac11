-- Asked by the orphan sweep for each old blob. Checkpoints keep their blobs inside JSON, hence the scan; it is rare.
SELECT EXISTS (SELECT 1 FROM files WHERE blob_key = @blob_key)
    OR EXISTS (SELECT 1 FROM run_states WHERE blob_key = @blob_key)
    OR EXISTS (SELECT 1 FROM dropped_blobs WHERE blob_key = @blob_key)
    OR EXISTS (SELECT 1 FROM checkpoints, json_each(checkpoints.files) AS file
               WHERE json_extract(file.value, '$.blob_key') = @blob_key);
