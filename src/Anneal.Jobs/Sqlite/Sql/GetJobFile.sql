-- A job in progress reads its files past their time; the sweep leaves them until it is over.
SELECT * FROM files
WHERE id = @id AND EXISTS (
  SELECT 1 FROM jobs
  WHERE id = @job_id AND (training_file = @id OR validation_file = @id)
    AND status NOT IN ('succeeded', 'failed', 'cancelled'));
