-- What the job looks at: teams that are not deleted, and the events of SCIM that wait. Left for later
-- are accounts whose token has expired (M6) and the events that nobody but a person can settle: the last
-- owner (M4), a team made by hand (M3). What may be changed are memberships by way of teams.
WITH
--include scim-expired
,
--include scim-told
SELECT (SELECT count(*)
        FROM saas.teams s
        WHERE (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
          AND
          --include account-range
          AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[])))
       + (SELECT count(*) FROM scim_told) AS looked_at,
       (SELECT count(DISTINCT x.account_id) FROM scim_expired x)
       + (SELECT count(*) FROM events_waiting) AS skipped,
       (SELECT count(*)
        FROM saas.organization_members s
        WHERE s.via = 'team'
          AND s.joined_at <= :'as_of'::timestamptz
          AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
          AND
          --include account-range
          AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[])))
         AS of_all
