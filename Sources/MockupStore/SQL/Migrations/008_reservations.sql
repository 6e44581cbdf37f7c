-- Credits that are set aside, the counters that make admission O(1) however long the ledger, and the
-- order of the ledger. Everything of ours that is not part of the first schema lives in `mockupd`.

CREATE SCHEMA IF NOT EXISTS mockupd;

DO $$
BEGIN
  -- What a server's login is a member of. It owns nothing and can do only what is granted below.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mockupd_service') THEN
    CREATE ROLE mockupd_service NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT USAGE ON SCHEMA mockupd TO mockupd_service;
-- A server looks here whether the schema is its own.
GRANT SELECT ON mockupd.schema_migrations TO mockupd_service;

-- The ledger --------------------------------------------------------------------------------------

ALTER TABLE public.mockup_credit_usage
  -- The row's place in its user's year, from 1: time alone does not order rows of one instant.
  ADD COLUMN sequence bigint,
  ADD COLUMN reservation_id uuid,
  -- Committed after the reservation had expired, and so admitted a second time.
  ADD COLUMN late boolean NOT NULL DEFAULT false,
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
-- The foreign key's own: deleting a mockup would otherwise read the whole ledger.
CREATE INDEX mockup_credit_usage_mockup
  ON public.mockup_credit_usage (mockup_id) WHERE mockup_id IS NOT NULL;

-- The ledger is written by the functions of this schema and by nobody else.
DROP POLICY credit_usage_insert ON public.mockup_credit_usage;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public.mockup_credit_usage
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT ON public.mockup_credit_usage TO mockupd_service;
CREATE POLICY credit_usage_service ON public.mockup_credit_usage
  FOR SELECT TO mockupd_service USING (true);

-- Checks that the first schema left out. -----------------------------------------------------------

-- They hold for every new row at once, and for the old ones where the old ones satisfy them: data
-- that is already there is kept, whatever it says.
ALTER TABLE public.mockup_credit_usage
  ADD CONSTRAINT mockup_credit_usage_credits_positive CHECK (credits > 0) NOT VALID,
  ADD CONSTRAINT mockup_credit_usage_operation_known
    CHECK (operation IN ('generation', 'regeneration', 'refund')) NOT VALID,
  ADD CONSTRAINT mockup_credit_usage_month_known CHECK (month BETWEEN 1 AND 12) NOT VALID;

ALTER TABLE public.mockups
  ADD CONSTRAINT mockups_credits_used_not_negative CHECK (credits_used >= 0) NOT VALID,
  ADD CONSTRAINT mockups_quality_score_range CHECK (quality_score BETWEEN 0 AND 1) NOT VALID,
  ADD CONSTRAINT mockups_total_pins_not_negative CHECK (total_pins >= 0) NOT VALID,
  ADD CONSTRAINT mockups_total_impressions_not_negative CHECK (total_impressions >= 0) NOT VALID;

ALTER TABLE public.mockup_scene_templates
  ADD CONSTRAINT mockup_scene_templates_system_has_no_user
    CHECK (is_system = (user_id IS NULL)) NOT VALID;

DO $$
DECLARE
  v_check record;
BEGIN
  FOR v_check IN
    SELECT conrelid::regclass AS relation, conname AS name
    FROM pg_constraint
    WHERE contype = 'c' AND NOT convalidated AND conrelid IN (
      'public.mockup_credit_usage'::regclass, 'public.mockups'::regclass,
      'public.mockup_scene_templates'::regclass)
  LOOP
    BEGIN
      EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', v_check.relation, v_check.name);
    EXCEPTION WHEN check_violation THEN
      RAISE WARNING 'rows that are already in % do not satisfy %; it holds for new rows only',
        v_check.relation, v_check.name;
    END;
  END LOOP;
END
$$;

-- Counters ----------------------------------------------------------------------------------------

-- One row for a user's year. Whoever changes a reservation or writes the ledger locks it first, so it
-- is also what puts the spenders of one user in line. Rows are the truth: mockupd.verify_counters()
-- compares.
CREATE TABLE mockupd.credit_counters (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  year integer NOT NULL,
  -- Sums of the year's ledger by operation, and how many rows they are.
  generation bigint NOT NULL DEFAULT 0,
  regeneration bigint NOT NULL DEFAULT 0,
  refund bigint NOT NULL DEFAULT 0,
  entries bigint NOT NULL DEFAULT 0,
  -- What the year's open reservations still hold.
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  -- The same by month, January at 1: used = generation + regeneration - refund.
  month_used bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12])
    CHECK (cardinality(month_used) = 12),
  month_held bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12])
    CHECK (cardinality(month_held) = 12),
  PRIMARY KEY (user_id, year)
) WITH (fillfactor = 70);

INSERT INTO mockupd.credit_counters
  (user_id, year, generation, regeneration, refund, entries, month_used)
SELECT
  user_id, year,
  coalesce(sum(credits) FILTER (WHERE operation = 'generation'), 0),
  coalesce(sum(credits) FILTER (WHERE operation = 'regeneration'), 0),
  coalesce(sum(credits) FILTER (WHERE operation = 'refund'), 0),
  count(*),
  ARRAY(
    SELECT coalesce(sum(
      CASE m.operation WHEN 'refund' THEN -m.credits::bigint
        WHEN 'generation' THEN m.credits WHEN 'regeneration' THEN m.credits ELSE 0 END), 0)::bigint
    FROM generate_series(1, 12) AS month (number)
    LEFT JOIN public.mockup_credit_usage AS m
      ON m.user_id = entry.user_id AND m.year = entry.year AND m.month = month.number
    GROUP BY month.number
    ORDER BY month.number
  )
FROM public.mockup_credit_usage AS entry
GROUP BY user_id, year;

GRANT SELECT ON mockupd.credit_counters TO mockupd_service;

-- Reservations ------------------------------------------------------------------------------------

-- A user's credits as they stand at one moment; what an answer reports, and what a reservation keeps
-- of its answers so that a call sent again gets the same one.
CREATE TYPE mockupd.usage AS (
  annual_budget integer,
  monthly_soft_limit integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  held bigint,
  monthly_used bigint,
  monthly_held bigint
);

CREATE TABLE mockupd.reservations (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  -- Made by the client, unique for the user, kept for ever: it is the idempotency key.
  id uuid NOT NULL,
  -- The request, as it was sent.
  credits integer NOT NULL CHECK (credits > 0),
  operation text NOT NULL CHECK (operation IN ('generation', 'regeneration')),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  mockup_id uuid, -- no reference: the request stays as it was when its mockup is gone
  -- The budget it is charged to, in UTC, fixed when it is made.
  year integer NOT NULL,
  month integer NOT NULL CHECK (month BETWEEN 1 AND 12),
  state text NOT NULL
    CHECK (state IN ('held', 'committed', 'released', 'expired', 'refused')),
  held integer NOT NULL CHECK (held BETWEEN 0 AND credits),
  committed integer NOT NULL DEFAULT 0 CHECK (committed >= 0),
  late boolean NOT NULL DEFAULT false,
  commit_id uuid,
  entry_id uuid, -- the ledger row of its commit
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  settled_at timestamptz,
  reserved_usage mockupd.usage NOT NULL,
  settled_usage mockupd.usage,
  PRIMARY KEY (user_id, id),
  CHECK ((state = 'held') = (held > 0)),
  CHECK ((state = 'committed') = (committed > 0)),
  -- Settled once: what was committed and what is still held never exceed what was asked for.
  CHECK (held + committed <= credits)
);

-- What is due, for admission, which looks for one user's, before it counts what is free.
CREATE INDEX reservations_due ON mockupd.reservations (user_id, expires_at)
  WHERE state = 'held';

GRANT SELECT ON mockupd.reservations TO mockupd_service;
