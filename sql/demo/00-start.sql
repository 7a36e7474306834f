-- Demo data, part 00: the one instant that everything is dated from, and two small helpers.
--
-- All of it lives in a schema `demo` that 99-finish.sql drops again. Nothing reads the clock and
-- nothing is random: the same files give the same rows, whatever the session's time zone.

CREATE SCHEMA demo;

-- The demo's as-of, moved by an interval: demo.t() is 2026-03-31T00:00:00Z itself,
-- demo.t('-5 days') five days before. Computed in UTC.
CREATE FUNCTION demo.t(shift interval DEFAULT '0') RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT (timestamp '2026-03-31 00:00:00' + shift) AT TIME ZONE 'UTC' $$;

-- A number from 0 to n - 1 that looks random and depends on the subject and the id alone.
CREATE FUNCTION demo.pick(subject text, id bigint, n integer) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT ('x' || substr(md5(subject || ':' || id), 1, 7))::bit(28)::integer % n $$;
