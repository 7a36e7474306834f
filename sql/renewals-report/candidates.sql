-- What the report lists: paid plans that come up for renewal.
WITH
--include renewals
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM renewals
