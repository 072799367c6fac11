-- The guard of event batches, checkpoints and run states; see ReportProgress. Leaves the estimate alone.
UPDATE jobs SET step_reached = MAX(step_reached, @step)
WHERE id = @job_id AND run_id = @run_id AND fence = @fence
RETURNING status;
