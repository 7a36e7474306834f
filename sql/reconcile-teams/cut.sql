-- What is due, and where to cut it into batches of whole accounts: what the events of SCIM end, and
-- the memberships that follow. It counts the rows that will be written.
WITH
--include scim-expired
,
--include scim-told
,
--include scim-due
,
--include memberships-due
,
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM (
    SELECT account_id FROM events_due
    UNION ALL
    SELECT account_id FROM teams_due
    UNION ALL
    SELECT account_id FROM team_members_due
    UNION ALL
    SELECT account_id FROM team_links_due
    UNION ALL
    SELECT account_id FROM team_invitations_due
    UNION ALL
    SELECT account_id FROM licenses_due
    UNION ALL
    SELECT account_id FROM memberships_leaving
    UNION ALL
    SELECT account_id FROM memberships_joining
  ) d
  GROUP BY d.account_id
),
--include cut
