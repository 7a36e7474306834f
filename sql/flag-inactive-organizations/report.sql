-- Organizations that went inactive or came back, as the audit of the date has them. The owner is the
-- organization's live direct owner, else the account's, lowest id first; affected are the other
-- people with a live membership.
WITH
--include runs-of-the-date
,
flagged AS (
  SELECT c.account_id, c.entity_id::bigint AS organization_id, c.as_of, c.change_id,
         CASE WHEN c.after ->> 'status' = 'inactive' THEN 'inactivated' ELSE 'reactivated' END
           AS action,
         coalesce(c.after ->> 'inactive_reason', c.before ->> 'inactive_reason') AS reason,
         coalesce(c.after ->> 'inactive_since', c.before ->> 'inactive_since')::timestamptz AS since
  FROM changes c
  WHERE c.entity = 'organizations' AND c.after ? 'inactive_since'
),
members AS (
  SELECT DISTINCT f.account_id, f.organization_id, f.as_of, m.user_id,
         m.via = 'direct' AND m.role = 'owner' AS owns
  FROM flagged f
  JOIN saas.organization_members m
    ON m.account_id = f.account_id AND m.organization_id = f.organization_id
  WHERE m.joined_at <= f.as_of AND (m.left_at IS NULL OR m.left_at > f.as_of)
),
owners AS (
  SELECT f.account_id, f.organization_id, f.as_of,
         coalesce(min(m.user_id) FILTER (WHERE m.owns), min(w.user_id)) AS user_id
  FROM flagged f
  LEFT JOIN members m
    ON m.account_id = f.account_id AND m.organization_id = f.organization_id AND m.as_of = f.as_of
  LEFT JOIN saas.account_members w
    ON w.account_id = f.account_id AND w.role = 'owner'
   AND w.joined_at <= f.as_of AND (w.left_at IS NULL OR w.left_at > f.as_of)
  GROUP BY f.account_id, f.organization_id, f.as_of
),
affected AS (
  SELECT m.account_id, m.organization_id, m.as_of,
         count(DISTINCT m.user_id) FILTER (WHERE m.user_id IS DISTINCT FROM o.user_id) AS people
  FROM members m
  JOIN owners o
    ON o.account_id = m.account_id AND o.organization_id = m.organization_id AND o.as_of = m.as_of
  GROUP BY m.account_id, m.organization_id, m.as_of
)
SELECT f.account_id, a.name AS account, f.organization_id, g.name AS organization, f.action,
       f.reason, f.since, u.email AS owner_email, coalesce(x.people, 0) AS members_affected
FROM flagged f
JOIN saas.accounts a ON a.account_id = f.account_id
JOIN saas.organizations g
  ON g.account_id = f.account_id AND g.organization_id = f.organization_id
JOIN owners o
  ON o.account_id = f.account_id AND o.organization_id = f.organization_id AND o.as_of = f.as_of
LEFT JOIN saas.users u ON u.user_id = o.user_id
LEFT JOIN affected x
  ON x.account_id = f.account_id AND x.organization_id = f.organization_id AND x.as_of = f.as_of
ORDER BY f.account_id, f.organization_id, f.as_of, f.change_id
