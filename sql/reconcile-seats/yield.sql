-- A user who was faster wins: no lock keeps somebody from joining an organization or a team, or from
-- becoming the owner, while the statement before this one released their license. The batch is then tried
-- again over what there is now.
SELECT 0::bigint AS changed, count(*) AS torn
FROM (
  SELECT c.account_id, l.user_id
  FROM lapse.changes c
  JOIN saas.licenses l ON l.account_id = c.account_id AND l.license_id = c.entity_id::bigint
  WHERE c.run_id = :'run_id'::bigint
    AND c.batch_no = :'batch_no'::integer
    AND c.entity = 'licenses'
) s
WHERE
--include joined-since
