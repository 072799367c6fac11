-- For followers, which read forward from what they have.
SELECT * FROM events WHERE job_id = @job_id AND sequence > @sequence ORDER BY sequence LIMIT @limit;
