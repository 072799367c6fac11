-- The checkpoint stays as history; its weights go with the model. Updates return new values, so the caller reads the old
-- ones first.
UPDATE checkpoints SET files = '[]' WHERE id = @id;
