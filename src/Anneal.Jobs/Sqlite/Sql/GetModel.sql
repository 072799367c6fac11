-- As ListModels, for one name.
SELECT models.name, models.created_at, jobs.base_model, jobs.id AS job_id,
       checkpoints.id AS checkpoint_id, checkpoints.is_final, checkpoints.files
FROM models JOIN checkpoints ON checkpoints.id = models.checkpoint_id JOIN jobs ON jobs.id = checkpoints.job_id
WHERE models.name = @name;
