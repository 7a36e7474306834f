-- What a run changed and nobody has undone yet, row by row: what it was before the run, and after it. A
-- row that the run changed several times counts as one change from the first image to the last.
undo_rows AS (
  SELECT s.account_id, s.change_id, s.entity, s.entity_id, s.before, s.after
  FROM lapse.changes s
  WHERE s.run_id = :'undo_run'::bigint
    AND
    --include account-range
    AND NOT EXISTS (
      SELECT FROM lapse.undone u
      WHERE u.account_id = s.account_id AND u.change_id = s.change_id)
),
images_after AS (
  SELECT r.account_id, r.entity, r.entity_id, bool_or(r.before IS NULL) AS inserted,
         jsonb_object_agg(e.key, e.value ORDER BY r.change_id) AS after
  FROM undo_rows r
  CROSS JOIN LATERAL jsonb_each(r.after) e
  GROUP BY r.account_id, r.entity, r.entity_id
),
images_before AS (
  SELECT r.account_id, r.entity, r.entity_id,
         jsonb_object_agg(e.key, e.value ORDER BY r.change_id DESC) AS before
  FROM undo_rows r
  CROSS JOIN LATERAL jsonb_each(r.before) e
  GROUP BY r.account_id, r.entity, r.entity_id
),
undo_due AS (
  SELECT a.account_id, a.entity, a.entity_id, a.inserted, b.before, a.after,
         CASE WHEN a.entity IN ('subscriptions', 'organizations', 'invitations', 'licenses', 'teams',
                                'scim_events', 'account_members')
              THEN a.entity_id::bigint
              WHEN a.entity IN ('organization_exports', 'organization_members', 'team_members',
                                'team_organizations')
              THEN split_part(a.entity_id, '/', 1)::bigint END AS first_id
  FROM images_after a
  LEFT JOIN images_before b
    ON b.account_id = a.account_id AND b.entity = a.entity AND b.entity_id = a.entity_id
)
