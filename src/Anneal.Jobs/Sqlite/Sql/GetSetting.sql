-- The plain read.
SELECT value FROM settings WHERE name = @name;
