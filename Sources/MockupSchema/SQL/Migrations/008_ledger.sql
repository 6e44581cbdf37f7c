-- The schema mockupd, which contains everything that is not part of the initial schema; the role of
-- the server's login; and the columns that the engine needs in the ledger.

CREATE SCHEMA IF NOT EXISTS mockupd;

DO $$
BEGIN
  -- The server's login is a member of this role. It owns nothing, and has only the rights that
  -- these migrations and the functions' files grant.
  LOOP
    BEGIN
      EXIT WHEN to_regrole('mockupd_service') IS NOT NULL;
      CREATE ROLE mockupd_service NOLOGIN;
    EXCEPTION
      -- As in 000_foundation.sql: another database's migration may have created it meanwhile.
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA mockupd TO mockupd_service;
-- The server checks the version of its schema.
GRANT SELECT ON mockupd.schema_migrations, mockupd.repeatable_migrations TO mockupd_service;

ALTER TABLE public.mockup_credit_usage
  -- The position in the user's year, from 1: created_at does not order rows of the same instant.
  ADD COLUMN sequence bigint,
  ADD COLUMN reservation_id uuid,
  -- True if the credits were committed after the reservation had expired.
  ADD COLUMN late boolean NOT NULL DEFAULT false,
  -- The part of the credits that exceeds what the reservation was granted.
  ADD COLUMN overrun integer NOT NULL DEFAULT 0,
  -- The charge that a refund gives back: a row of the same year.
  ADD COLUMN refunded_entry_id uuid,
  -- The budget from which the balances were computed; null in rows of the initial schema.
  ADD COLUMN annual_budget integer,
  ALTER COLUMN year SET DEFAULT extract(year FROM now() AT TIME ZONE 'UTC'),
  ALTER COLUMN month SET DEFAULT extract(month FROM now() AT TIME ZONE 'UTC');

UPDATE public.mockup_credit_usage AS entry
SET sequence = numbered.sequence
FROM (
  SELECT id, row_number() OVER (PARTITION BY user_id, year ORDER BY created_at, id) AS sequence
  FROM public.mockup_credit_usage
) AS numbered
WHERE entry.id = numbered.id;

ALTER TABLE public.mockup_credit_usage ALTER COLUMN sequence SET NOT NULL;

CREATE UNIQUE INDEX mockup_credit_usage_sequence
  ON public.mockup_credit_usage (user_id, year, sequence);
-- For the foreign key: deleting a mockup would otherwise read the whole ledger.
CREATE INDEX mockup_credit_usage_mockup
  ON public.mockup_credit_usage (mockup_id) WHERE mockup_id IS NOT NULL;

-- Only the functions in the schema mockupd write the ledger.
DROP POLICY credit_usage_insert ON public.mockup_credit_usage;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public.mockup_credit_usage
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT ON public.mockup_credit_usage TO mockupd_service;
CREATE POLICY credit_usage_service ON public.mockup_credit_usage
  FOR SELECT TO mockupd_service USING (true);
