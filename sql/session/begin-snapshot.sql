-- Opens the transaction of a set of reports: all statements see one state of the database.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
