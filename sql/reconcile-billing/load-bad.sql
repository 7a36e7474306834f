-- B4: the file is remembered by its SHA-256. Bad lines leave with their place and reason, lines
-- said twice leave; what stays is good.
WITH gone AS (
  DELETE FROM pg_temp.staged_lines b
  WHERE b.reason IS NOT NULL OR b.repeated
  RETURNING b.line, b.at, b.heading, b.reason
),
written AS (
  INSERT INTO lapse.billing_bad_lines (sha256, line, at, heading, reason, run_id)
  SELECT :'sha'::text, g.line, nullif(g.at, 0), g.heading, g.reason, :'run_id'::bigint
  FROM gone g
  WHERE g.reason IS NOT NULL
  ON CONFLICT (sha256, line) DO UPDATE
  SET at = excluded.at, heading = excluded.heading, reason = excluded.reason,
      run_id = excluded.run_id
),
counted AS (
  SELECT count(g.reason) AS bad, count(*) - count(g.reason) AS repeated
  FROM gone g
),
file AS (
  INSERT INTO lapse.billing_files (sha256, name, bytes, lines, loaded, unmatched, repeated, bad,
                                   run_id)
  SELECT :'sha'::text, :'file'::text, :'bytes'::bigint, :'lines'::bigint, 0, 0, c.repeated, c.bad,
         :'run_id'::bigint
  FROM counted c
  ON CONFLICT (sha256) DO UPDATE
  SET name = excluded.name, lines = excluded.lines, repeated = excluded.repeated,
      bad = excluded.bad, run_id = excluded.run_id
)
SELECT c.bad, c.repeated FROM counted c
