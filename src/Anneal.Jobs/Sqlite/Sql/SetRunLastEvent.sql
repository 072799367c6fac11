-- In the transaction of the batch.
UPDATE runs SET last_event = @last_event WHERE id = @run_id;
