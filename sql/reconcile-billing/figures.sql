-- Control totals: the lines of all files, and what became of them. The last must be 0.
SELECT v.label, v.value
FROM (
  SELECT count(*) AS files, coalesce(sum(f.lines), 0)::bigint AS lines,
         coalesce(sum(f.loaded), 0)::bigint AS loaded,
         coalesce(sum(f.unmatched), 0)::bigint AS unmatched,
         coalesce(sum(f.repeated), 0)::bigint AS repeated, coalesce(sum(f.bad), 0)::bigint AS bad
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
) AS v (place, label, value)
ORDER BY v.place
