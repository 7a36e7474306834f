-- What somebody should look at, one row for each finding and entity. No row tells an address or a code.
-- "Within" is half open as everywhere: an end after as-of, and at most so many hours behind it.
WITH
--include accounts-as-of
,
--include seats
,
today AS (
  SELECT (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date AS day
),
-- Deleted organizations are neither judged nor named.
organizations AS (
  SELECT o.account_id, o.organization_id, o.name, coalesce(o.is_personal, false) AS is_personal,
         o.created_at, o.deleted_at, o.deleted_at IS NULL OR o.deleted_at > j.at AS is_there,
         o.status = 'active' OR o.inactive_since > j.at AS is_active
  FROM judged j
  JOIN saas.organizations o ON o.account_id = j.account_id
  WHERE o.created_at <= j.at
),
-- An owner as condition 9 has it. Since when one is missing is known where somebody left; a role that
-- was taken away leaves no trace.
owners AS (
  SELECT j.account_id,
         count(*) FILTER (WHERE m.role = 'owner' AND o.live) AS owners,
         count(*) FILTER (WHERE m.role = 'co_owner' AND o.live) AS co_owners,
         max(m.left_at) FILTER (WHERE NOT o.live) AS since
  FROM judged j
  LEFT JOIN saas.account_members m
    ON m.account_id = j.account_id AND m.role IN ('owner', 'co_owner') AND m.joined_at <= j.at
  CROSS JOIN LATERAL (SELECT m.left_at IS NULL OR m.left_at > j.at AS live) o
  GROUP BY j.account_id
),
personal_workspaces AS (
  SELECT j.account_id, coalesce(bool_or(o.is_there), false) AS is_there,
         coalesce(max(o.deleted_at), min(a.created_at)) AS since
  FROM judged j
  JOIN saas.accounts a ON a.account_id = j.account_id
  LEFT JOIN organizations o ON o.account_id = j.account_id AND o.is_personal
  GROUP BY j.account_id
),
-- O7: nobody with access was active (A4, A8) in the last 90 whole days.
--include last-activity
,
openings AS (
  SELECT m.account_id, m.organization_id, max(y.active_on) AS active_on
  FROM saas.organization_members m
  JOIN last_activity y ON y.account_id = m.account_id AND y.user_id = m.user_id
  WHERE m.joined_at <= :'as_of'::timestamptz
    AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)
  GROUP BY m.account_id, m.organization_id
),
invitations AS (
  SELECT i.account_id, i.invitation_id, i.sent_at,
         CASE WHEN i.team_id IS NULL THEN 'organization: ' || o.name ELSE 'team: ' || t.name END
           AS target,
         coalesce(i.expires_at, i.sent_at + interval '720 hours') AS ends_at
  FROM judged j
  JOIN saas.invitations i ON i.account_id = j.account_id
  LEFT JOIN organizations o
    ON o.account_id = i.account_id AND o.organization_id = i.organization_id AND o.is_there
  LEFT JOIN saas.teams t
    ON t.account_id = i.account_id AND t.team_id = i.team_id
   AND (t.deleted_at IS NULL OR t.deleted_at > j.at)
  WHERE i.sent_at <= j.at
    AND (i.status = 'pending' AND i.closed_at IS NULL OR i.closed_at > j.at)
    AND (o.organization_id IS NOT NULL OR t.team_id IS NOT NULL)
),
allowed AS (
  SELECT r.account_id, o.organization_id, o.name,
         concat_ws(', ', CASE WHEN r.cloud_sync AND NOT coalesce(a.cloud_sync, false)
                              THEN 'cloud sync' END,
                         CASE WHEN r.local_vault AND NOT coalesce(a.local_vault, false)
                              THEN 'local vault' END,
                         CASE WHEN r.git_sync AND NOT coalesce(a.git_sync, false)
                              THEN 'Git Sync' END) AS what
  FROM saas.storage_rules r
  JOIN saas.storage_rules a ON a.account_id = r.account_id AND a.organization_id = 0
  JOIN organizations o
    ON o.account_id = r.account_id AND o.organization_id = r.organization_id AND o.is_there
),
-- `number` and `word` are the entity's key within its account and finding.
findings AS (
  SELECT o.account_id, 0::bigint AS number, '' AS word,
         CASE WHEN o.owners = 0 THEN 'no_owner' ELSE 'no_second_owner' END AS finding,
         CASE WHEN o.owners = 0 THEN 'no owner, ' || o.co_owners || ' co-owners'
              ELSE 'one owner, no co-owner' END AS detail,
         o.since, NULL::timestamptz AS ends_at
  FROM owners o
  WHERE o.owners = 0 OR o.owners + o.co_owners < 2
  UNION ALL
  SELECT p.account_id, 0, '', 'no_personal_workspace', NULL, p.since, NULL
  FROM personal_workspaces p
  WHERE NOT p.is_there
  UNION ALL
  SELECT c.account_id, 0, c.provider,
         CASE WHEN c.token_expires_at <= j.at THEN 'scim_token_expired' ELSE 'scim_token_ends' END,
         c.provider || ' token',
         CASE WHEN c.token_expires_at <= j.at THEN c.token_expires_at END, c.token_expires_at
  FROM judged j
  JOIN saas.scim_connections c ON c.account_id = j.account_id
  WHERE c.token_expires_at <= j.at + interval '480 hours'
    AND (c.suspended_at IS NULL OR c.suspended_at > j.at)
  UNION ALL
  SELECT o.account_id, o.organization_id, '', 'organization_not_opened',
         'organization ' || o.organization_id || ': ' || o.name,
         n.active_on::timestamp AT TIME ZONE 'UTC', NULL
  FROM organizations o
  CROSS JOIN today t
  LEFT JOIN openings n
    ON n.account_id = o.account_id AND n.organization_id = o.organization_id
  WHERE o.is_there AND o.is_active AND NOT o.is_personal
    AND (o.created_at AT TIME ZONE 'UTC')::date < t.day - 90
    AND (n.active_on IS NULL OR n.active_on < t.day - 90)
  UNION ALL
  SELECT i.account_id, i.invitation_id, '', 'invitation_ends',
         'invitation ' || i.invitation_id || ' to ' || i.target, i.sent_at, i.ends_at
  FROM invitations i
  WHERE i.ends_at > :'as_of'::timestamptz
    AND i.ends_at <= :'as_of'::timestamptz + interval '120 hours'
  UNION ALL
  SELECT l.account_id, l.subscription_id, '', 'trial_ends', 'trial ' || l.subscription_id,
         l.started_at, l.trial_ends_at
  FROM live l
  WHERE l.kind = 'trial' AND l.trial_ends_at <= l.at + interval '72 hours'
  UNION ALL
  SELECT c.account_id, 0, c.code_hash, 'code_unused',
         c.plan || ' code, issued ' || (c.issued_at AT TIME ZONE 'UTC')::date
           || CASE WHEN c.verified_at <= j.at THEN ', verified' ELSE ', not verified' END,
         c.issued_at, c.period_end
  FROM judged j
  JOIN saas.activation_codes c ON c.account_id = j.account_id
  WHERE c.issued_at <= j.at
    AND (c.redeemed_at IS NULL OR c.redeemed_at > j.at)
    AND (c.period_end IS NULL OR c.period_end > j.at)
  UNION ALL
  SELECT n.account_id, 0, '', 'over_seats', n.used || ' of ' || n.purchased || ' seats used', NULL,
         NULL
  FROM seats n
  WHERE n.over > 0
  UNION ALL
  SELECT w.account_id, w.organization_id, '', 'storage_rule_conflict',
         w.what || ' allowed to organization ' || w.organization_id || ': ' || w.name, NULL, NULL
  FROM allowed w
  WHERE w.what <> ''
  UNION ALL
  SELECT j.account_id, 0, q.job, 'set_aside', q.job || ': ' || q.reason, q.since, NULL
  FROM judged j
  JOIN lapse.quarantine q ON q.account_id = j.account_id
  WHERE q.since <= j.at
  UNION ALL
  SELECT j.account_id, h.hold_id, '', 'account_held', h.reason, h.held_at, h.held_until
  FROM judged j
  JOIN lapse.holds h ON h.account_id = j.account_id
  WHERE h.held_at <= j.at
    AND (h.held_until IS NULL OR h.held_until > j.at)
    AND (h.released_at IS NULL OR h.released_at > j.at)
)
SELECT f.account_id, a.name AS account, f.finding, f.detail, f.since,
       CASE WHEN isfinite(f.ends_at) AND f.ends_at > :'as_of'::timestamptz
            THEN floor(extract(epoch FROM f.ends_at - :'as_of'::timestamptz) / 86400)::bigint
            END AS days_left
FROM findings f
JOIN saas.accounts a ON a.account_id = f.account_id
ORDER BY f.account_id, f.finding COLLATE "C", f.number, f.word COLLATE "C"
