-- Opens the transaction of a change: each statement sees what was committed before it. Whether it may
-- write is not said: a server or database that is read-only stays so.
BEGIN ISOLATION LEVEL READ COMMITTED
