-- B4: bad lines are set aside with their place and reason.
WITH written AS (
  INSERT INTO lapse.billing_bad_lines (sha256, line, at, heading, reason, run_id)
  SELECT :'sha'::text, b.line, nullif(b.at, 0), b.heading, b.reason, :'run_id'::bigint
  FROM lapse.billing_staged b
  WHERE b.run_id = :'run_id'::bigint AND b.reason IS NOT NULL
  ON CONFLICT (sha256, line) DO UPDATE
  SET at = excluded.at, heading = excluded.heading, reason = excluded.reason,
      run_id = excluded.run_id
  RETURNING line
)
SELECT count(*) AS bad FROM written
