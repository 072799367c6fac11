-- Tells a refused deletion which job stands in its way.
SELECT id FROM jobs WHERE model = @name AND status NOT IN ('succeeded', 'failed', 'cancelled') LIMIT 1;
