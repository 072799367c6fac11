-- Oldest first, so that one blob that cannot be deleted does not hide the others for ever: the caller pages by count.
SELECT blob_key FROM dropped_blobs ORDER BY ordinal LIMIT @limit;
