-- @pairs is a JSON object of wanted metadata: no wanted pair may be missing. @none asks for jobs without metadata.
SELECT * FROM jobs
WHERE ordinal < @after
  AND (NOT @none OR metadata IS NULL OR metadata = '{}')
  AND NOT EXISTS (
    SELECT 1 FROM json_each(@pairs) AS want
    WHERE NOT EXISTS (
      SELECT 1 FROM json_each(jobs.metadata) AS have WHERE have.key = want.key AND have.value = want.value))
ORDER BY ordinal DESC LIMIT @limit + 1;
