-- D1 to D4: base subscriptions lapse. Run until nothing is left: where the new base's own period has
-- ended by as-of, the rule applies again.
WITH
--include all-accounts
,
--include lapse
