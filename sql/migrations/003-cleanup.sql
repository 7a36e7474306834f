-- What has been purged, so that a report for a past date can say that it would lack it.
CREATE TABLE lapse.purged (
  what text PRIMARY KEY,
  before date NOT NULL,
  as_of timestamptz NOT NULL
);

-- What is due of the two tables that grow by the day is found by its day. Where an adopter has put a
-- view in place of a table, the index is theirs to make.
DO $$
BEGIN
  IF (SELECT relkind FROM pg_catalog.pg_class
      WHERE oid = 'saas.user_activity_days'::regclass) IN ('r', 'p') THEN
    CREATE INDEX user_activity_days_day ON saas.user_activity_days (day, account_id);
  END IF;
  IF (SELECT relkind FROM pg_catalog.pg_class
      WHERE oid = 'saas.seat_snapshots'::regclass) IN ('r', 'p') THEN
    CREATE INDEX seat_snapshots_day ON saas.seat_snapshots (day, account_id);
  END IF;
END
$$;
