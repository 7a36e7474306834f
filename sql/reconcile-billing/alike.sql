-- How many files of this size were imported: only then is a file hashed before it is read.
SELECT count(*) AS files FROM lapse.billing_files f WHERE f.bytes = :'bytes'::bigint
