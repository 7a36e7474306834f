-- What has been purged, so that a report for a past date can say that it would lack it.
CREATE TABLE lapse.purged (
  what text PRIMARY KEY,
  before date NOT NULL,
  as_of timestamptz NOT NULL
);
