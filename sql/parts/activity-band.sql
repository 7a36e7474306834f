-- A2, A3: what shows of a last activity: the date up to an age of 90 days, nothing from 91 to 100, N/A
-- from 101 on and where there was none. Joins behind the part last-active; gives g.age, h.status,
-- h.shows and z.shown.
CROSS JOIN LATERAL (
  SELECT (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date - y.active_on AS age
) g
CROSS JOIN LATERAL (
  SELECT CASE WHEN g.age IS NULL THEN 'Never'
              WHEN g.age <= 90 THEN 'Active'
              WHEN g.age <= 100 THEN 'Aging'
              ELSE 'Inactive' END AS status,
         y.active_on IS NOT NULL
           AND (g.age <= 90 OR w.by_login AND :'legacy_login_rule'::text = 'override') AS shows
) h
CROSS JOIN LATERAL (
  SELECT CASE WHEN h.shows THEN y.active_on::text
              WHEN g.age BETWEEN 91 AND 100 THEN NULL
              ELSE 'N/A' END AS shown
) z
