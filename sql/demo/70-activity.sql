-- Demo data, part 70: when people last opened the product, and what they did on which day.
--
-- Seven of ten were here within three weeks. Detail days go back 140 days; those older than 90 are the
-- purge's (A5). Account 801 (part 86) has the exact ages. Nobody of 38 and 45 has been seen for months.

SET LOCAL TIME ZONE 'UTC';

-- age: whole days since the last opening; null where none is known. known: since when a member.
CREATE TABLE demo.habits AS
SELECT account_id, user_id, k, no, known, login_only, least(age, known) AS age,
       demo.t(make_interval(days => -least(age, known), hours => 7 + k % 12, mins => k % 60)) AS opened_at
FROM (
  SELECT l.account_id, l.user_id, s.k, s.no, extract(day FROM demo.t() - s.granted_at)::integer AS known,
         luck BETWEEN 94 AND 95 AS login_only,
         CASE WHEN s.no IN (38, 45) THEN 95 + s.k * 9
              WHEN luck < 70 THEN 1 + demo.pick('days', l.user_id, 20)
              WHEN luck < 80 THEN 21 + demo.pick('days', l.user_id, 69)
              WHEN luck < 86 THEN 90 + demo.pick('days', l.user_id, 12)
              WHEN luck < 92 THEN 102 + demo.pick('days', l.user_id, 300)
              WHEN luck < 94 THEN 330 + demo.pick('days', l.user_id, 300) END AS age
  FROM (SELECT DISTINCT account_id, user_id FROM saas.licenses) l
  JOIN (SELECT no, k, account_id, user_id, granted_at FROM demo.seats
        UNION ALL SELECT no, k, account_id, user_id, granted_at FROM demo.guests) s USING (account_id, user_id),
  LATERAL (SELECT demo.pick('habit', l.user_id + s.no, CASE WHEN s.no >= 200 THEN 80 ELSE 100 END) AS luck) d
  WHERE s.no <> 801 AND s.granted_at < demo.t(CASE WHEN s.no IN (38, 45) THEN interval '-100 days' ELSE '-1 day' END)
) h;
ANALYZE demo.habits;

-- One summary row per person and account (none for the never seen). A4: openings before 2025-05-20 were
-- badly kept, so every second of those people has a login to fall back on.
INSERT INTO saas.user_activity (account_id, user_id, last_opened_at, last_login_at)
SELECT account_id, user_id, opened_at,
       CASE WHEN login_only THEN demo.t(make_interval(days => -(3 + k % 200), hours => 8))
            WHEN opened_at < '2025-05-20Z' AND k % 2 = 0 THEN demo.t(make_interval(days => -(k % 300), hours => -16))
            WHEN k % 4 <> 0 THEN opened_at - interval '10 minutes' END
FROM demo.habits
WHERE opened_at IS NOT NULL OR login_only
ORDER BY account_id, user_id;

-- Workdays of every fourth person in a large company and of everybody elsewhere.
INSERT INTO saas.user_activity_days (account_id, user_id, day, requests_created, requests_executed, documents_created)
SELECT account_id, user_id, day, h.k % 5, (user_id * 7 + n * 13) % 90, (n + h.k) % 3
FROM demo.habits h
CROSS JOIN LATERAL generate_series(h.age, least(h.known, 140)) AS n
CROSS JOIN LATERAL (SELECT (demo.t() AT TIME ZONE 'UTC')::date - n AS day) d
WHERE h.age < 140 AND (h.no > 8 OR h.k % 4 = 1)
  AND (n = h.age OR extract(isodow FROM day) < 6 AND (n * 5 + h.k) % 3 = 0)
ORDER BY account_id, user_id, day;
