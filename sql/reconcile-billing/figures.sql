-- The money of each kind of finding, by currency, which are never added up; nor are the kinds, for one line
-- may differ in several ways. Then control totals: the lines of all files, and what became of them. The
-- last must be 0.
WITH
--include billing-differences
,
money AS (
  SELECT m.finding, m.currency, min(m.place) AS place, sum(m.amount) AS amount,
         min(m.decimals) AS decimals
  FROM (
    SELECT f.finding, f.currency::text AS currency, f.place, f.amount,
    --include currency-decimals
    AS decimals
    FROM found f
    WHERE f.amount IS NOT NULL AND f.currency IS NOT NULL
  ) m
  GROUP BY m.finding, m.currency
)
SELECT v.label, v.value
FROM (
  SELECT 0 AS block, m.place, 'Amount, ' || m.finding || ', ' || m.currency AS label,
         round(m.amount / power(10::numeric, m.decimals), m.decimals) AS value
  FROM money m
  UNION ALL
  SELECT 1, t.place, t.label, t.value::numeric
  FROM (
    SELECT count(*) AS files, coalesce(sum(f.lines), 0)::bigint AS lines,
           coalesce(sum(f.loaded), 0)::bigint AS loaded,
           coalesce(sum(f.unmatched), 0)::bigint AS unmatched,
           coalesce(sum(f.repeated), 0)::bigint AS repeated,
           coalesce(sum(f.bad), 0)::bigint AS bad
    FROM lapse.billing_files f
  ) f
  CROSS JOIN LATERAL (VALUES
    (1, 'Billing files imported', f.files),
    (2, 'Their lines', f.lines),
    (3, '- taken in', f.loaded),
    (4, '- of customers not known here', f.unmatched),
    (5, '- said twice', f.repeated),
    (6, '- bad, set aside', f.bad),
    (7, 'Billing lines known now', (SELECT count(*) FROM saas.billing_lines)),
    (8, 'Lines of unknown customers now', (SELECT count(*) FROM lapse.billing_unmatched)),
    (9, 'Lines unaccounted for', f.lines - f.loaded - f.unmatched - f.repeated - f.bad)
  ) AS t (place, label, value)
) v
ORDER BY v.block, v.place, v.label COLLATE "C"
