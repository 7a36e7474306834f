-- The files a run published, as far as no later run replaced them.
SELECT f.folder, f.name, f.rows, f.bytes, f.sha256
FROM lapse.files f
WHERE f.run_id = :'run_id'::bigint
ORDER BY f.folder COLLATE "C", f.name COLLATE "C"
