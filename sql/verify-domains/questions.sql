-- W1, W3: whose TXT records are asked for: every domain that is proven by a record, verified or not;
-- one that goes by its root needs no question. A page of names behind `after_name`, each with all the
-- accounts that have it, so that no name is asked twice.
SELECT q.account_id, q.domain, q.name
FROM (
  SELECT s.account_id, s.domain, lower(s.domain) COLLATE "C" AS name
  FROM saas.domains s
  WHERE s.method = 'unique_txt'
    AND (:'after_name'::text IS NULL OR lower(s.domain) COLLATE "C" > :'after_name'::text)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ORDER BY lower(s.domain) COLLATE "C"
  FETCH FIRST (:'page_rows'::bigint) ROWS WITH TIES
) q
ORDER BY q.name, q.account_id, q.domain COLLATE "C"
