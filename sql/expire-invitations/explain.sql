-- I1, I5 in words, for pending invitations, or the one that is asked for.
SELECT s.account_id, 'invitations' AS entity, s.invitation_id::text AS entity_id,
       'invitation ' || s.invitation_id AS what, 'expire' AS action, c.condition, c.holds, c.figure,
       c.instant, c.place
FROM saas.invitations s
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is pending', s.status = 'pending', 'it is ' || s.status, NULL::timestamptz),
    (2, '30 x 24 h have passed since it was last sent',
     --include invitation-over
     , 'it ends', coalesce(s.expires_at, s.sent_at + interval '720 hours'))
) c (place, condition, holds, figure, instant)
WHERE (s.invitation_id::text = :'asked'::text OR :'asked'::text IS NULL AND s.status = 'pending')
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
