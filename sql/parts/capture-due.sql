-- V1: a person of a captured domain is due who signed up since it is captured (or earlier too,
-- where capture_existing says so) and never held a license in that account, whatever became of it.
p.signed_up_at >= p.captured_since
AND NOT EXISTS (
  SELECT FROM saas.licenses n WHERE n.account_id = p.account_id AND n.user_id = p.user_id)
