-- The files of the sets in a folder that are past their retention, set by set.
SELECT f.folder, f.name
FROM lapse.files f
WHERE f.folder = rtrim(:'out'::text, '/') || '/' || f.set_date
  AND f.set_date < ((:'as_of'::timestamptz - :'retention'::interval) AT TIME ZONE 'UTC')::date
ORDER BY f.folder COLLATE "C", f.name COLLATE "C"
