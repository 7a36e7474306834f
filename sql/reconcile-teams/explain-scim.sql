-- M3, M4, M6 in words: events of SCIM that nobody has carried out, or the one that is asked for.
WITH
--include scim-expired
,
--include scim-told
SELECT s.account_id, 'scim_events' AS entity, s.event_id::text AS entity_id,
       'SCIM event ' || s.event_id AS what, 'carry it out' AS action, c.condition, c.holds, c.figure,
       c.instant, c.place
FROM saas.scim_events s
LEFT JOIN (
  SELECT x.account_id, string_agg(x.provider, ', ' ORDER BY x.provider) AS providers,
         min(x.token_expires_at) AS expired_at
  FROM scim_expired x
  GROUP BY x.account_id
) x ON x.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it has come', s.received_at <= :'as_of'::timestamptz, s.kind || ' received', s.received_at),
    (2, 'nobody has carried it out', s.applied_at IS NULL,
     CASE WHEN s.applied_at IS NULL THEN NULL ELSE 'carried out' END, s.applied_at),
    (3, 'no token of a SCIM connection in use has expired', x.account_id IS NULL,
     'expired, ' || x.providers, x.expired_at),
    (4, 'it does not mean the account''s last owner', NOT EXISTS (
       SELECT FROM last_owners o WHERE o.account_id = s.account_id AND o.event_id = s.event_id),
     NULL, NULL),
    (5, 'it does not mean a team made by hand', NOT EXISTS (
       SELECT FROM teams_told t
       WHERE t.account_id = s.account_id AND t.event_id = s.event_id AND NOT t.goes),
     NULL, NULL)
) c (place, condition, holds, figure, instant)
WHERE (s.event_id::text = :'asked'::text OR :'asked'::text IS NULL AND s.applied_at IS NULL)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
