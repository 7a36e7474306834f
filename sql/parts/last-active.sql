-- A8, A4: when somebody was last active. A8: the last opening is the later of the last day with details
-- and the date of last_opened_at, each only up to as-of. A4: where none is known, or it lies before the
-- product recorded openings (2025-05-20), the last login speaks; without a login, the older opening.
-- Joins behind `a`, their row of saas.user_activity, and `d`, whose last_day is the last day with
-- details up to as-of; either may be missing. Gives y.active_on and w.by_login. OFFSET 0: the dates
-- are worked out once, not anew wherever they are named.
CROSS JOIN LATERAL (
  SELECT greatest(d.last_day,
                  CASE WHEN a.last_opened_at <= :'as_of'::timestamptz
                       THEN (a.last_opened_at AT TIME ZONE 'UTC')::date END) AS opened_on,
         CASE WHEN a.last_login_at <= :'as_of'::timestamptz
              THEN (a.last_login_at AT TIME ZONE 'UTC')::date END AS login_on
  OFFSET 0
) v
CROSS JOIN LATERAL (
  SELECT v.login_on IS NOT NULL
           AND (v.opened_on IS NULL OR v.opened_on < date '2025-05-20') AS by_login
) w
CROSS JOIN LATERAL (
  SELECT CASE WHEN w.by_login THEN v.login_on ELSE v.opened_on END AS active_on
) y
