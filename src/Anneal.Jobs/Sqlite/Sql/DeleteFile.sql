-- The guard is inside the statement: a job submitted a moment ago keeps its files.
DELETE FROM files
WHERE id = @id AND NOT EXISTS (
  SELECT 1 FROM jobs
  WHERE (training_file = @id OR validation_file = @id) AND status NOT IN ('succeeded', 'failed', 'cancelled'))
RETURNING blob_key;
