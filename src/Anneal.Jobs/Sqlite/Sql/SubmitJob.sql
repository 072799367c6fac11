-- The files' and the model's existence was read in this same transaction.
INSERT INTO jobs (id, model, base_model, model_name, status, created_at, available_at, training_file, validation_file,
                  suffix, seed, method_type, hyperparameters, integrations, metadata)
VALUES (@id, @model, @base_model, @model_name, 'validating_files', @now, @now, @training_file, @validation_file,
        @suffix, @seed, @method_type, @hyperparameters, @integrations, @metadata)
RETURNING *;
