-- After its model.
DELETE FROM checkpoints WHERE id = @id;
