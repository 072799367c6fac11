-- Where a page of checkpoints goes on.
SELECT step FROM checkpoints WHERE id = @id AND job_id = @job_id;
