-- Rights that would let the runner rewrite its own history: append-only is a matter of rights.
SELECT p.privilege || ' ON ' || t.name AS granted
FROM (VALUES ('lapse.changes'), ('lapse.batches')) AS t (name)
CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (privilege)
WHERE has_table_privilege(t.name, p.privilege)
ORDER BY granted
