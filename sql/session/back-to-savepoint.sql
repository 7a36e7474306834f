-- Gives one report up.
ROLLBACK TO SAVEPOINT report
