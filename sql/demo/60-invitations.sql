-- Demo data, part 60: the invitations of ordinary customers, about one for seven people, in every state.
--
-- Of twenty: seven accepted, two revoked, three expired long ago, four pending with time left, four pending
-- and overdue (the jobs have not run for three weeks). Exact edges are in part 82, none is here.

SET LOCAL TIME ZONE 'UTC';

-- The companies whose number ends in 6 have some that end within five days: most invite in bursts and are
-- answered, or reminded, before that.
-- An accepted one is that of a person with a license; the others went to strangers.
CREATE TABLE demo.invited AS
SELECT c.no, c.account_id, i, p.user_id, p.email, s.granted_at,
       CASE WHEN i % 20 < 7 AND s.granted_at IS NOT NULL THEN 'accepted'
            WHEN i % 20 < 7 THEN NULL
            WHEN i % 20 < 9 THEN 'revoked'
            WHEN i % 20 < 12 THEN 'expired'
            WHEN i % 20 < 16 THEN 'pending'
            ELSE 'overdue' END AS state,
       h.organizations, h.teams
FROM demo.companies c
JOIN demo.shapes h USING (no)
CROSS JOIN LATERAL generate_series(1, c.people / 7 + 8) AS i
JOIN demo.people p ON p.no = c.no AND p.k = CASE WHEN i % 20 < 7 THEN 3 + i ELSE c.people + i END
LEFT JOIN demo.seats s ON s.no = p.no AND s.k = p.k AND i % 20 < 7
WHERE c.no <= 50 AND p.k <= c.people + c.people / 6 + 8;

INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, invited_by,
                              sent_at, send_count, expires_at, closed_at)
SELECT account_id, 7000000 + row_number() OVER (ORDER BY no, i), email,
       CASE WHEN NOT to_team THEN no * 100 + 1 + i % organizations END,
       CASE WHEN to_team THEN no * 100 + 51 + i % teams END,
       CASE WHEN i % 10 = 0 THEN 'admin' ELSE 'member' END,
       CASE state WHEN 'overdue' THEN 'pending' ELSE state END,
       no * 10000 + CASE WHEN i % 3 = 0 THEN 2 ELSE 1 END, sent_at,
       CASE WHEN i % 6 = 0 THEN 2 + i % 4 ELSE 1 END,                    -- I1: resending starts a new 30 days
       CASE WHEN i % 7 <> 3 THEN sent_at + interval '720 hours' END,     -- else: sent_at and 30 days
       CASE state WHEN 'accepted' THEN granted_at
                  WHEN 'revoked' THEN sent_at + make_interval(hours => 3 + i % 500)
                  WHEN 'expired' THEN sent_at + interval '720 hours' END
FROM demo.invited
CROSS JOIN LATERAL (
  SELECT teams > 0 AND (i + i / 20) % 4 = 0 AS to_team,
         CASE state
           WHEN 'accepted' THEN granted_at - make_interval(hours => 1 + i % 300)
           WHEN 'pending' THEN demo.t(make_interval(days => -(i % CASE WHEN no % 10 = 6 THEN 29 ELSE 25 END), hours => -(1 + no % 20), secs => -(i * 37 % 3600)))
           WHEN 'overdue' THEN demo.t(make_interval(days => -(30 + i % 21), hours => -(1 + no % 20), secs => -(i * 37 % 3600)))
           ELSE demo.t(make_interval(days => -(55 + i * 7 % 400), secs => -(i * 91 % 86400))) END AS sent_at
) s
WHERE state IS NOT NULL
ORDER BY no, i;
