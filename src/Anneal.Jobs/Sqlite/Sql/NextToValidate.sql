-- The check is repeated after a crash, since it changes nothing before AcceptFiles or RejectFiles.
SELECT * FROM jobs WHERE status = 'validating_files' ORDER BY ordinal LIMIT 1;
