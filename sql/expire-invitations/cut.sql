-- What is due, and where to cut it into batches.
WITH weighed AS (
  SELECT d.account_id, d.invitation_id AS id, 1::bigint AS n
  FROM (
    --include invitations-due
  ) d
),
--include cut
