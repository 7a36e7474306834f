-- A set that was retired is no longer published.
DELETE FROM lapse.files
WHERE folder = :'folder'::text
