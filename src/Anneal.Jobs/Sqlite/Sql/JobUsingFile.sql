-- Tells a refused deletion which job stands in its way.
SELECT id FROM jobs
WHERE (training_file = @id OR validation_file = @id) AND status NOT IN ('succeeded', 'failed', 'cancelled')
LIMIT 1;
