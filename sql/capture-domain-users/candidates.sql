-- What the job looks at: the people that capture is for. Those for whom no seat is left wait (V2). Many
-- or few they are by the licenses of their accounts.
WITH
--include captures-due
SELECT count(*) AS looked_at, count(*) FILTER (WHERE NOT d.has_seat) AS skipped,
       count(*) + (
         SELECT count(*)
         FROM saas.licenses l
         WHERE l.account_id IN (SELECT c.account_id FROM captures_due c)
           AND l.granted_at <= :'as_of'::timestamptz
           AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz)) AS of_all
FROM captures_due d
