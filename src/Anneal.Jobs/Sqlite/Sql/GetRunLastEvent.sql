-- The highest run sequence stored: what a repeated batch is compared with.
SELECT last_event FROM runs WHERE id = @run_id;
