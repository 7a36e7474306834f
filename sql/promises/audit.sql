-- Promise 10: every row a run counted as changed, and every plan change of a run, is in the audit.
SELECT s.account_id, s.finding
FROM (
  SELECT NULL::bigint AS account_id,
         'run ' || r.run_id || ' counted ' || (r.counters ->> 'changed') || ' changes, the audit has '
           || count(c.run_id) AS finding,
         r.run_id AS place
  FROM lapse.runs r
  LEFT JOIN lapse.changes c ON c.run_id = r.run_id
  WHERE r.counters ? 'changed'
  GROUP BY r.run_id
  HAVING (r.counters ->> 'changed')::bigint <> count(c.run_id)
  UNION ALL
  SELECT p.account_id, 'plan change ' || p.change_no || ' of run ' || p.run_id || ' is not in the audit',
         p.change_no
  FROM saas.plan_changes p
  WHERE p.run_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM lapse.changes c
      WHERE c.account_id = p.account_id AND c.run_id = p.run_id
        AND c.entity = 'plan_changes' AND c.entity_id = p.change_no::text)
) s
ORDER BY s.account_id, s.place
