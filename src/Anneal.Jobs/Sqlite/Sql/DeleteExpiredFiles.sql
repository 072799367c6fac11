-- A job in progress keeps its files past their time; they go at the first sweep after it ends.
DELETE FROM files
WHERE expires_at <= @now AND NOT EXISTS (
  SELECT 1 FROM jobs
  WHERE (training_file = files.id OR validation_file = files.id) AND status NOT IN ('succeeded', 'failed', 'cancelled'))
RETURNING blob_key;
