-- L3: licenses of people who have left every organization and team, since when. L4: the owner's is none;
-- one that capture gave, or SCIM to somebody not assigned yet, is counted apart.
-- Reads `seat_people` and `belonging`.
idle_seats AS (
  SELECT p.account_id, p.person, p.email, p.user_id, p.source,
         greatest(p.since, b.last_left) AS since, b.user_id IS NOT NULL AS was_assigned,
         CASE WHEN p.source = 'capture' OR p.source = 'scim' AND b.user_id IS NULL
              THEN 'captured_unassigned' ELSE 'seat_without_access' END AS finding
  FROM seat_people p
  LEFT JOIN belonging b ON b.account_id = p.account_id AND b.user_id = p.user_id
  WHERE p.licensed
    AND p.at = :'as_of'::timestamptz
    AND NOT coalesce(b.belongs, false)
    AND p.source <> 'owner'
    AND NOT EXISTS (
      SELECT FROM saas.account_members o
      WHERE o.account_id = p.account_id AND o.user_id = p.user_id AND o.role = 'owner'
        AND o.joined_at <= :'as_of'::timestamptz
        AND (o.left_at IS NULL OR o.left_at > :'as_of'::timestamptz))
)
