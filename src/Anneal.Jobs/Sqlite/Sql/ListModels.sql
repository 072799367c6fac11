-- A model's weights, base and job are those of its checkpoint.
SELECT models.name, models.created_at, jobs.base_model, jobs.id AS job_id,
       checkpoints.id AS checkpoint_id, checkpoints.is_final, checkpoints.files
FROM models JOIN checkpoints ON checkpoints.id = models.checkpoint_id JOIN jobs ON jobs.id = checkpoints.job_id
ORDER BY models.ordinal DESC;
