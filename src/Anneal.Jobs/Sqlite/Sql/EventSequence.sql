-- Where a page of events goes on; an event of another job is unknown here.
SELECT sequence FROM events WHERE id = @id AND job_id = @job_id;
