-- The database's clock, to the whole second: the as-of where none was given.
SELECT extract(epoch FROM date_trunc('second', clock_timestamp()))::bigint AS seconds
