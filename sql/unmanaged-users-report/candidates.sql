-- What the report lists: people of verified domains whom nobody manages (V3).
WITH
--include unmanaged
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM unmanaged m
