-- V1: a person of a captured domain is due who signed up since it is captured (or earlier too,
-- where capture_existing says so) and never held a license in that account, whatever became of it.
p.signed_up_at >= p.captured_since
AND
--include never-licensed
