-- What a batch, or a dry run under a pretended number, has changed, as the lines of a plan. Nothing in
-- them depends on ids that the database gives: a new row has none, and one that the same runs (run_ids,
-- in the order of the jobs) made and then changed is "new N", the Nth of its kind in its account. What
-- only says which run it was (run_id, processed_at) is left out. In order of account, instant and row.
WITH runs AS (
  SELECT r.run_id, r.number
  FROM unnest(:'run_ids'::bigint[]) WITH ORDINALITY AS r (run_id, number)
),
made AS (
  SELECT s.account_id, s.entity, s.entity_id,
         row_number() OVER (PARTITION BY s.account_id, s.entity
                            ORDER BY r.number, s.effective_at,
                                     (s.after - '{run_id,processed_at}'::text[])::text COLLATE "C",
                                     s.change_id) AS number
  FROM lapse.changes s
  JOIN runs r ON r.run_id = s.run_id
  WHERE s.before IS NULL
    AND
    --include account-range
)
SELECT s.account_id, s.reason,
       '{"job":' || to_json(:'job'::text)::text
         || ',"account_id":' || s.account_id::text
         || ',"entity":' || to_json(s.entity)::text
         || CASE WHEN s.before IS NULL THEN ''
                 ELSE ',"entity_id":'
                      || to_json(coalesce('new ' || m.number::text, s.entity_id))::text
                      || ',"before":' || s.before::text END
         || ',"after":' || (s.after - '{run_id,processed_at}'::text[])::text
         || ',"reason":' || to_json(s.reason)::text
         || ',"effective_at":' || to_json(s.effective_at)::text || '}' AS line
FROM lapse.changes s
LEFT JOIN made m
  ON m.account_id = s.account_id AND m.entity = s.entity AND m.entity_id = s.entity_id
WHERE s.run_id = :'run_id'::bigint
  AND s.batch_no = :'batch_no'::integer
  AND
  --include account-range
ORDER BY s.account_id, s.effective_at, s.entity COLLATE "C", m.number NULLS FIRST,
         CASE WHEN m.number IS NULL AND s.entity_id ~ '^[0-9]{1,18}$' THEN s.entity_id::bigint END,
         CASE WHEN m.number IS NULL THEN s.entity_id END COLLATE "C",
         s.before IS NOT NULL, s.change_id
