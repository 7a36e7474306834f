-- What the report looks at: every account that there was.
WITH
--include accounts-as-of
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM judged
