-- D7 in words: domains and SCIM connections, by the plan in force after what lapses in the same run.
WITH
--include live-by-status
,
--include plan-in-force
,
--include plan-told
,
--include controls-held
SELECT s.account_id, s.entity, s.entity_id, s.what,
       CASE WHEN s.suspended_at IS NULL THEN 'suspend it' ELSE 'resume it' END AS action,
       c.condition, c.holds, c.figure, c.instant, c.place
FROM controlled s
LEFT JOIN plan_in_force f ON f.account_id = s.account_id
LEFT JOIN plan_told t ON t.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, CASE WHEN s.suspended_at IS NULL THEN 'it is not suspended' ELSE 'it is suspended' END,
     true, CASE WHEN s.suspended_at IS NULL THEN NULL ELSE 'since' END, s.suspended_at),
    (2, CASE WHEN s.suspended_at IS NULL THEN 'the plan in force has no Enterprise controls'
             ELSE 'the plan in force has Enterprise controls' END,
     f.enterprise_controls = (s.suspended_at IS NOT NULL), t.told, t.ends_at),
    (3, 'capture, lock or SCIM is on', s.suspended_at IS NOT NULL OR s.in_use, NULL, NULL)
) c (place, condition, holds, figure, instant)
WHERE (s.entity_id = :'asked'::text OR :'asked'::text IS NULL)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
