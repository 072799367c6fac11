-- The plain read.
SELECT * FROM jobs WHERE id = @id;
