-- The domain an address is in, as V1 means it: exactly the text after the last @, lower-cased. An
-- address without an @ is in none. saas.users has an index over this very expression.
lower(substring(u.email FROM '@([^@]*)$'))
