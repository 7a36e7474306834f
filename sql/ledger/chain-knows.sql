-- Whether a digest is one that the chain went through (its start is 64 zeros).
SELECT count(*) AS known
FROM (
  SELECT b.digest FROM lapse.batches b WHERE b.digest = :'digest'::text
  UNION ALL
  SELECT repeat('0', 64) WHERE repeat('0', 64) = :'digest'::text
) k
