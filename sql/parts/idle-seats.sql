-- L3: licenses of people who have left every organization and team, since when. L4: the owner's is none;
-- one that capture gave, or SCIM to somebody not assigned yet, is counted apart.
-- Reads `seat_people` and `belonging`. They stand in one list and are not joined: the planner cannot
-- foretell how many there are, and takes a loop over both for a few large accounts.
idle_seats AS (
  SELECT k.account_id, k.person, k.email, k.user_id, k.source, greatest(k.since, k.last_left) AS since,
         k.belongs IS NOT NULL AS was_assigned,
         CASE WHEN k.source = 'capture' OR k.source = 'scim' AND k.belongs IS NULL
              THEN 'captured_unassigned' ELSE 'seat_without_access' END AS finding
  FROM (
    SELECT r.account_id, r.user_id, max(r.person) AS person, max(r.email) AS email,
           max(r.source) AS source, max(r.since) AS since, bool_or(r.belongs) AS belongs,
           max(r.last_left) AS last_left
    FROM (
      SELECT p.account_id, p.user_id, p.person, p.email, p.source, p.since, NULL::boolean AS belongs,
             NULL::timestamptz AS last_left
      FROM seat_people p
      WHERE p.licensed AND p.at = :'as_of'::timestamptz AND p.source <> 'owner'
      UNION ALL
      SELECT b.account_id, b.user_id, NULL, NULL, NULL, NULL, b.belongs, b.last_left
      FROM belonging b
    ) r
    GROUP BY r.account_id, r.user_id
  ) k
  WHERE k.person IS NOT NULL
    AND NOT coalesce(k.belongs, false)
    AND NOT EXISTS (
      SELECT FROM saas.account_members o
      WHERE o.account_id = k.account_id AND o.user_id = k.user_id AND o.role = 'owner'
        AND o.joined_at <= :'as_of'::timestamptz
        AND (o.left_at IS NULL OR o.left_at > :'as_of'::timestamptz))
)
