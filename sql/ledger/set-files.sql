-- What the ledger knows of the files of a published set.
SELECT f.name, f.sha256, f.run_id
FROM lapse.files f
WHERE f.folder = :'folder'::text
ORDER BY f.name COLLATE "C"
