-- W1: domains whose own record holds their token, by what the DNS told this run.
proven AS (
  SELECT s.account_id, s.domain, s.method, s.txt_token, s.root_domain, s.verified_at, s.last_seen_at
  FROM saas.domains s
  JOIN lapse.domain_answers a
    ON a.account_id = s.account_id AND a.domain = s.domain AND a.run_id = :'run_id'::bigint
  WHERE s.method = 'unique_txt'
    AND
    --include token-held
    AND
    --include account-range
    AND
    --include not-left-alone
)
