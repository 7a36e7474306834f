-- The open transaction's snapshot, for other connections to see the same state.
SELECT pg_export_snapshot()
