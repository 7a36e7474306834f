-- Of the bases `s`, on the plan `p`, the one that is asked for, else the live ones of paid plans.
s.kind = 'base'
AND (s.subscription_id::text = :'asked'::text
     OR :'asked'::text IS NULL AND p.fallback_plan IS NOT NULL
        AND s.status IN ('trialing', 'active', 'past_due'))
AND
--include account-range
AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
