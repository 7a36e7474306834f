-- People by the domain of their address, as the part email-domain writes it, then by their sign-up:
-- capture finds who has signed up without reading everybody. Where saas.users is an adopter's view,
-- it is theirs to make one over the table below it.
DO $$
BEGIN
  IF (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = 'saas.users'::regclass)
     IN ('r', 'p') THEN
    EXECUTE $index$
      CREATE INDEX users_email_domain
        ON saas.users (lower(substring(email FROM '@([^@]*)$')), signed_up_at)
    $index$;
  END IF;
END
$$;
