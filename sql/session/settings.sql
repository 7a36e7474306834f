-- What every transaction needs, for itself alone: a pooled connection keeps none of it.
--   timeout_ms  how long a statement may run, in milliseconds (what the deadline leaves)
SELECT set_config('TimeZone', 'UTC', true),
       set_config('DateStyle', 'ISO, YMD', true),
       set_config('IntervalStyle', 'postgres', true),
       set_config('client_encoding', CASE current_setting('server_encoding')
                                     WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true),
       set_config('search_path', 'pg_catalog', true),
       set_config('statement_timeout', :'timeout_ms'::text, true),
       set_config('lock_timeout', least(:'timeout_ms'::bigint, 30000)::text, true),
       set_config('idle_in_transaction_session_timeout', '0', true),
       set_config('standard_conforming_strings', 'on', true),
       set_config('jit', 'off', true),
       -- whole tables are sorted and hashed: with the server's 4 MB that goes by way of the disk
       set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')) / 1024, 65536)::text,
                  true)
