-- From here on the name can be called.
INSERT INTO models (name, checkpoint_id, created_at) VALUES (@name, @checkpoint_id, @now);
