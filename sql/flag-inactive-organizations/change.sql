-- Organizations go inactive (O1, O3) or come back (O2). O5: one that goes inactive gets the instant,
-- the reason and one export request for its owner; nothing is deleted.
WITH
--include live-by-status
,
--include plan-in-force
,
--include organizations-due
,
changed AS (
  UPDATE saas.organizations o
  SET status = d.new_status, inactive_since = d.new_since, inactive_reason = d.new_reason
  FROM organizations_due d
  WHERE o.account_id = d.account_id AND o.organization_id = d.organization_id
    AND (o.status, o.inactive_since, o.inactive_reason, o.is_personal, o.deleted_at)
        IS NOT DISTINCT FROM
        (d.status, d.inactive_since, d.inactive_reason, d.is_personal, d.deleted_at)
  RETURNING d.account_id, d.organization_id, d.status, d.inactive_since, d.inactive_reason,
            d.new_status, d.new_since, d.new_reason
),
export AS (
  INSERT INTO saas.organization_exports (account_id, organization_id, requested_at, visible_to,
                                         status)
  SELECT c.account_id, c.organization_id, :'as_of'::timestamptz, 'owner', 'requested'
  FROM changed c
  WHERE c.new_status = 'inactive'
  RETURNING account_id, organization_id, export_id, requested_at, visible_to, status
),
written AS (
  SELECT c.account_id, 'organizations' AS entity, c.organization_id::text AS entity_id,
         jsonb_build_object('status', c.status, 'inactive_since', c.inactive_since,
                            'inactive_reason', c.inactive_reason) AS before,
         jsonb_build_object('status', c.new_status, 'inactive_since', c.new_since,
                            'inactive_reason', c.new_reason) AS after,
         CASE WHEN c.new_status = 'inactive' THEN c.new_reason ELSE 'reactivated' END AS reason,
         coalesce(c.new_since, :'as_of'::timestamptz) AS effective_at
  FROM changed c
  UNION ALL
  SELECT e.account_id, 'organization_exports', e.organization_id || '/' || e.export_id, NULL,
         jsonb_build_object('account_id', e.account_id, 'organization_id', e.organization_id,
                            'requested_at', e.requested_at, 'visible_to', e.visible_to,
                            'status', e.status),
         'owner_export', e.requested_at
  FROM export e
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
