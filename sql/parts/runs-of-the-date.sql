-- The runs whose changes belong to the report's date: a change belongs to the UTC date of its
-- run's as-of, whichever run of that date made it. What was undone since is left out. Not materialized:
-- each use brings its own filter.
runs AS (
  SELECT r.run_id, r.as_of
  FROM unnest(:'run_ids'::bigint[], :'as_ofs'::timestamptz[]) AS r (run_id, as_of)
),
changes AS NOT MATERIALIZED (
  SELECT s.account_id, s.change_id, s.run_id, r.as_of, s.entity, s.entity_id, s.before, s.after,
         s.reason, s.effective_at
  FROM lapse.changes s
  JOIN runs r ON r.run_id = s.run_id
  WHERE NOT EXISTS (
      SELECT FROM lapse.undone u
      WHERE u.account_id = s.account_id AND u.change_id = s.change_id)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
)
