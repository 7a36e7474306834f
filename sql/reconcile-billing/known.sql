-- B4: the run that imported the file with this SHA-256.
SELECT f.run_id FROM lapse.billing_files f WHERE f.sha256 = :'sha'::text
