-- One row for everybody who holds a seat, with what speaks for them: the earliest license, else the
-- earliest invitation (its seat lasts as long as the latest). Reads `seat_claims`.
seat_people AS (
  SELECT DISTINCT ON (c.account_id, c.at, c.person)
         c.account_id, c.at, c.person, c.licensed, c.email, c.user_id, c.source, c.since,
         max(c.expires) OVER person AS expires,
         bool_or(c.closed) OVER person AS closed,
         bool_or(c.accepted) OVER person AS accepted,
         count(*) FILTER (WHERE c.licensed) OVER person AS licenses,
         array_agg(c.id) FILTER (WHERE NOT c.licensed) OVER person AS invitation_ids
  FROM seat_claims c
  WINDOW person AS (PARTITION BY c.account_id, c.at, c.person)
  ORDER BY c.account_id, c.at, c.person, c.licensed DESC, c.since, c.id
)
