-- The runs whose as-of lies on a UTC date, as two arrays side by side.
SELECT coalesce(array_agg(r.run_id ORDER BY r.run_id), '{}')::text AS run_ids,
       coalesce(array_agg(r.as_of ORDER BY r.run_id), '{}')::text AS as_ofs
FROM lapse.runs r
WHERE r.as_of >= :'date'::timestamptz
  AND r.as_of < :'date'::timestamptz + interval '24 hours'
