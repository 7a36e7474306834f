-- Expires the invitations that are due. I4: the row is kept, closed at the instant it lapsed. An
-- invitation that somebody resends, accepts or revokes meanwhile is left alone.
WITH due AS (
  --include invitations-due
),
expired AS (
  UPDATE saas.invitations i
  SET status = 'expired', closed_at = d.lapsed_at
  FROM due d
  WHERE i.account_id = d.account_id AND i.invitation_id = d.invitation_id
    AND (i.status, i.sent_at, i.expires_at, i.closed_at)
        IS NOT DISTINCT FROM (d.status, d.sent_at, d.expires_at, d.closed_at)
  RETURNING d.account_id, d.invitation_id, d.status, d.closed_at, d.lapsed_at
),
written AS (
  SELECT e.account_id, 'invitations' AS entity, e.invitation_id::text AS entity_id,
         jsonb_build_object('status', e.status, 'closed_at', e.closed_at) AS before,
         jsonb_build_object('status', 'expired', 'closed_at', e.lapsed_at) AS after,
         'invitation_expired' AS reason, e.lapsed_at AS effective_at
  FROM expired e
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
