-- The guard is inside the statement: a job submitted a moment ago keeps the model it starts from.
DELETE FROM models
WHERE name = @name AND NOT EXISTS (
  SELECT 1 FROM jobs WHERE model = @name AND status NOT IN ('succeeded', 'failed', 'cancelled'))
RETURNING checkpoint_id;
