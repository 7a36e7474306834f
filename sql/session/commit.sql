-- Ends a transaction. Of a failed one the server answers ROLLBACK: lib/db.c looks.
COMMIT
