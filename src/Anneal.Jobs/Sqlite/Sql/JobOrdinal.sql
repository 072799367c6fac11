-- Where a page of jobs goes on.
SELECT ordinal FROM jobs WHERE id = @id;
