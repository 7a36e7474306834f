-- The bench's data: accounts of very different sizes, made set by set, the same every time.
--   users         people, each with one license; users / 200 accounts
--   invitations   of every status
--   due           of them pending and lapsed as of the as-of
--   as_of         the instant that "due" and "last active" are counted from
--
-- Account 1 is the largest, with 1 / sqrt(accounts) of everything; half of all accounts share three
-- tenths. Rows lie in the order in which people came, as in a product's tables, not by account.
-- Nothing but invitations is due: a nightly run after the first has nothing to do.

\set ON_ERROR_STOP on
\set QUIET on
SET session_replication_role = replica; -- what is made here fits: no foreign key is looked up
SET client_min_messages = warning;
SET synchronous_commit = off;
SET TIME ZONE 'UTC';
SET work_mem = '256MB';

CREATE SCHEMA bench;

-- 0 <= part < 1, as good as random.
CREATE FUNCTION bench.part(n bigint, salt bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(n, salt) & 1073741823) / 1073741824.0;

CREATE FUNCTION bench.account(n bigint, salt bigint, accounts bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1 + floor(accounts * bench.part(n, salt) ^ 2)::bigint;

SELECT greatest(:users / 200, 5) AS accounts, :'as_of'::timestamptz AS as_of \gset

INSERT INTO saas.accounts (account_id, name, created_at)
SELECT n, 'Company ' || substr(md5(n::text), 1, 8) || ' ' || n, timestamptz '2020-01-01' + make_interval(hours => (n % 30000)::integer)
FROM generate_series(1::bigint, :accounts) AS n;

-- One base each; every tenth had a trial, every seventh another base before.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months,
                                started_at, period_end, trial_ends_at, ended_at, end_reason)
SELECT n, 3 * n, 'base', plan, CASE plan WHEN 'essentials' THEN 'none' ELSE 'sales' END, 'active',
       CASE plan WHEN 'essentials' THEN -1 ELSE 20000 END, CASE plan WHEN 'essentials' THEN NULL ELSE 12 END,
       :'as_of'::timestamptz - make_interval(days => (n % 300)::integer + 20),
       CASE plan WHEN 'essentials' THEN NULL ELSE :'as_of'::timestamptz + make_interval(days => 365 - (n % 300)::integer) END,
       NULL::timestamptz, NULL::timestamptz, NULL::text
FROM generate_series(1::bigint, :accounts) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n % 4 = 0 THEN 'essentials' WHEN n % 4 = 3 THEN 'enterprise' ELSE 'pro' END AS plan) p
UNION ALL
SELECT n, 3 * n + 1, 'trial', 'trial', 'none', 'ended', 50, NULL, :'as_of'::timestamptz - interval '400 days', NULL,
       NULL, :'as_of'::timestamptz - interval '386 days', 'trial_ended'
FROM generate_series(10::bigint, :accounts, 10) AS n
UNION ALL
SELECT n, 3 * n + 2, 'base', 'pro', 'self_serve', 'ended', 100, 12, :'as_of'::timestamptz - interval '700 days',
       :'as_of'::timestamptz - interval '330 days', NULL, :'as_of'::timestamptz - interval '330 days', 'manual_downgrade'
FROM generate_series(7::bigint, :accounts, 7) AS n;

CREATE TABLE bench.people AS
SELECT n AS user_id, bench.account(n, 1, :accounts) AS account_id, bench.part(n, 2) AS luck,
       :'as_of'::timestamptz - make_interval(mins => ((:users - n) * 1500000 / :users)::integer + 1440) AS since
FROM generate_series(1::bigint, :users) AS n;

INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT user_id, 'user' || user_id || '@' || substr(md5(account_id::text), 1, 8) || '.example',
       initcap(substr(md5('f' || user_id), 1, 4 + user_id::integer % 4)) || ' ' || initcap(substr(md5('l' || user_id), 1, 8)), since
FROM bench.people
ORDER BY user_id;

INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
SELECT account_id, user_id, CASE WHEN row_number() OVER (PARTITION BY account_id ORDER BY user_id) = 1 THEN 'owner' ELSE 'member' END, since
FROM bench.people
ORDER BY user_id;

INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT account_id, user_id, user_id, (ARRAY['invitation', 'scim', 'capture', 'manual'])[1 + user_id % 4], since
FROM bench.people
ORDER BY user_id;

-- Ten organizations and five teams in every account. Those left inactive by a trial are so already.
INSERT INTO saas.organizations (account_id, organization_id, name, status, inactive_since, inactive_reason, created_at)
SELECT a, a * 10 + k, (ARRAY['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf', 'Hotel', 'India', 'Juliett'])[k + 1]
       || ' of ' || a, CASE WHEN left_by_trial THEN 'inactive' ELSE 'active' END,
       CASE WHEN left_by_trial THEN :'as_of'::timestamptz - interval '386 days' END,
       CASE WHEN left_by_trial THEN 'trial_ended' END, timestamptz '2020-02-01'
FROM generate_series(1::bigint, :accounts) AS a
CROSS JOIN generate_series(0, 9) AS k
CROSS JOIN LATERAL (SELECT a % 20 = 0 AND a % 7 <> 0 AS left_by_trial) l;

INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at)
SELECT a, a * 5 + k, 'Team ' || (ARRAY['Red', 'Green', 'Blue', 'Black', 'White'])[k + 1] || ' ' || a, 'member', 'manual', timestamptz '2020-02-01'
FROM generate_series(1::bigint, :accounts) AS a, generate_series(0, 4) AS k;

-- One to three organizations each, the first by way of the team, as the links below have it; one in 30
-- of the others has ended.
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at, left_at)
SELECT account_id, account_id * 10 + (account_id * 5 + user_id % 5 + k * 3) % 10, user_id, CASE k WHEN 0 THEN 'team' ELSE 'direct' END,
       'member', since, CASE WHEN k > 0 AND (user_id + k) % 30 = 0 THEN since + interval '12 hours' END
FROM bench.people, generate_series(0, 2) AS k
WHERE k <= user_id % 3
ORDER BY user_id, k;

INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at)
SELECT account_id, account_id * 5 + user_id % 5, user_id, 'manual', since
FROM bench.people
ORDER BY user_id;

INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at)
SELECT account_id, team_id, account_id * 10 + team_id % 10, created_at FROM saas.teams;

-- Two thirds came within 90 days, of a third the days are known; one in twenty never came.
INSERT INTO saas.user_activity (account_id, user_id, last_opened_at, last_login_at)
SELECT account_id, user_id,
       CASE WHEN luck < 0.9 THEN greatest(since, :'as_of'::timestamptz - make_interval(mins => (luck ^ 3 * 300000)::integer)) END,
       CASE WHEN luck < 0.95 THEN since + interval '1 hour' END
FROM bench.people
ORDER BY user_id;

INSERT INTO saas.user_activity_days (account_id, user_id, day, requests_created, requests_executed, documents_created)
SELECT account_id, user_id, (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date - 1 - (user_id % 5 + k * 17)::integer,
       user_id % 13, user_id % 101, user_id % 3
FROM generate_series(4, 0, -1) AS k, bench.people
WHERE luck < 0.3334
ORDER BY k DESC, user_id; -- as the days came

-- Of twenty that are not due: eleven accepted, three revoked, five expired, one pending with time left.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, invited_by,
                              sent_at, expires_at, closed_at)
SELECT a, n, 'guest' || n || '@guests.example', CASE WHEN n % 3 > 0 THEN a * 10 + n % 10 END, CASE WHEN n % 3 = 0 THEN a * 5 + n % 5 END,
       'member', CASE state WHEN 'due' THEN 'pending' ELSE state END, 1 + n % :users,
       sent, CASE WHEN n % 10 <> 3 THEN sent + interval '720 hours' END,
       CASE state WHEN 'accepted' THEN sent + interval '2 days' WHEN 'revoked' THEN sent + interval '5 days'
                  WHEN 'expired' THEN sent + interval '720 hours' END
FROM (
  SELECT n, bench.account(n, 3, :accounts) AS a, state,
         :'as_of'::timestamptz - CASE state
           WHEN 'due' THEN interval '30 days 1 hour' + make_interval(mins => (bench.part(n, 5) * 1300)::integer)
           WHEN 'pending' THEN make_interval(mins => 10 + (bench.part(n, 5) * 40000)::integer)
           ELSE interval '40 days' + make_interval(mins => ((:invitations - n) * 1000000 / :invitations)::integer) END AS sent
  FROM generate_series(1::bigint, :invitations) AS n
  CROSS JOIN LATERAL (
    SELECT CASE WHEN n * :due / :invitations > (n - 1) * :due / :invitations THEN 'due'
                ELSE (ARRAY['accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted',
                            'accepted', 'accepted', 'accepted', 'revoked', 'revoked', 'revoked', 'expired', 'expired',
                            'expired', 'expired', 'expired', 'pending'])[1 + floor(bench.part(n, 6) * 20)::integer] END AS state
  ) s
) i
ORDER BY n;

INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, capture_enabled_at)
SELECT a, substr(md5(a::text), 1, 8) || '.example', 'unique_txt', md5(a::text), timestamptz '2024-01-01',
       :'as_of'::timestamptz - interval '1 day', CASE WHEN a % 8 = 3 THEN timestamptz '2024-02-01' END
FROM generate_series(3::bigint, :accounts, 4) AS a;

DROP SCHEMA bench CASCADE;
