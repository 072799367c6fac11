-- The plain read.
SELECT * FROM runs WHERE id = @id;
