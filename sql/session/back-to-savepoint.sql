-- Gives the part up.
ROLLBACK TO SAVEPOINT part
