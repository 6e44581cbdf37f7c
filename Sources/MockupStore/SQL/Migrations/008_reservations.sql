-- Credits that are set aside, the counters that make admission O(1) however long the ledger, and the
-- order of the ledger. Everything of ours that is not part of the first schema lives in `mockupd`.

CREATE SCHEMA IF NOT EXISTS mockupd;

DO $$
BEGIN
  -- What a server's login is a member of. It owns nothing and can do only what is granted below.
  LOOP
    BEGIN
      EXIT WHEN to_regrole('mockupd_service') IS NOT NULL;
      CREATE ROLE mockupd_service NOLOGIN;
    EXCEPTION
      -- As in 000: another database's migration may have made it meanwhile.
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA mockupd TO mockupd_service;
-- A server looks here whether the schema is its own.
GRANT SELECT ON mockupd.schema_migrations, mockupd.repeatable_migrations TO mockupd_service;

-- The ledger --------------------------------------------------------------------------------------

ALTER TABLE public.mockup_credit_usage
  -- The row's place in its user's year, from 1: time alone does not order rows of one instant.
  ADD COLUMN sequence bigint,
  ADD COLUMN reservation_id uuid,
  -- Committed after the reservation's time had passed.
  ADD COLUMN late boolean NOT NULL DEFAULT false,
  -- What of it is more than the reservation had been granted.
  ADD COLUMN overrun integer NOT NULL DEFAULT 0,
  -- A refund's charge: a row of the same year.
  ADD COLUMN refunded_entry_id uuid,
  -- The budget that the balances were taken from; null in rows that came with the first schema.
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
  held bigint NOT NULL DEFAULT 0,
  -- How many of the year's reservations are held or dispatched, and how many unresolved. They are found
  -- by these counts: no index knows a reservation's state, so that a change of it costs none.
  open bigint NOT NULL DEFAULT 0,
  unresolved bigint NOT NULL DEFAULT 0,
  -- Used and held by month, January at 1: used = generation + regeneration - refund.
  month_used bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12]),
  month_held bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12]),
  -- No open reservation of the year ends before this, so until then nobody need look for one that is
  -- due. It may be early: who settles a reservation leaves it where it is.
  due_at timestamptz NOT NULL DEFAULT 'infinity',
  PRIMARY KEY (user_id, year),
  -- One check for all: the server reads every check anew for each statement.
  CHECK (least(held, open, unresolved) >= 0
    AND cardinality(month_used) = 12 AND cardinality(month_held) = 12)
) WITH (fillfactor = 70);

-- What is due, over all users: those first who have waited longest. It costs the hot path nothing, as
-- long as due_at stays where it is.
CREATE INDEX credit_counters_due ON mockupd.credit_counters (due_at);

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
  -- No reference, which would look the user up again for each row: a reservation is made by who has
  -- locked its user's counters, and those refer to the user.
  user_id uuid NOT NULL,
  -- Made by the client, unique for the user, kept for ever: it is the idempotency key.
  id uuid NOT NULL,
  -- The request, as it was sent.
  credits integer NOT NULL CHECK (credits > 0),
  operation text NOT NULL CHECK (operation IN ('generation', 'regeneration')),
  mode text NOT NULL CHECK (mode IN ('normal', 'best_effort')),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  mockup_id uuid, -- no reference: the request stays as it was when its mockup is gone
  group_id uuid, -- reservations that are released together
  -- The budget it is charged to, in UTC, fixed when it is made.
  year integer NOT NULL,
  month integer NOT NULL CHECK (month BETWEEN 1 AND 12),
  state text NOT NULL, -- one of those in the last check
  -- What was set aside: of a best effort perhaps less than was asked for.
  granted integer NOT NULL CHECK (granted <= credits),
  -- What of it still is.
  held integer NOT NULL,
  -- What its commits spent, and what of that was more than it had been granted.
  committed integer NOT NULL DEFAULT 0,
  overrun integer NOT NULL DEFAULT 0 CHECK (overrun BETWEEN 0 AND committed),
  late boolean NOT NULL DEFAULT false,
  -- The commit that settled it, and that one's ledger row; null where it was released.
  commit_id uuid,
  entry_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  dispatched_at timestamptz,
  settled_at timestamptz,
  reserved_usage mockupd.usage NOT NULL,
  settled_usage mockupd.usage,
  PRIMARY KEY (user_id, id),
  -- Settled once: its commits never exceed what was granted, save by what was let through as such.
  CHECK (committed - overrun <= granted),
  -- An open one holds what it has not spent, and may have spent it all; any other holds nothing. One
  -- check for all states: the server reads every check anew for each statement.
  CHECK (
    CASE
      WHEN state IN ('held', 'dispatched', 'unresolved')
        THEN granted > 0 AND held = granted - (committed - overrun)
      WHEN state = 'committed' THEN granted > 0 AND held = 0 AND committed > 0
      WHEN state = 'released' THEN granted > 0 AND held = 0 AND committed = 0
      WHEN state = 'expired' THEN granted > 0 AND held = 0
      WHEN state = 'refused' THEN granted = 0 AND held = 0 AND committed = 0
      ELSE false
    END)
) WITH (fillfactor = 50);

-- What changes of a reservation is in none of these: neither its state nor its end. To settle one then
-- touches no index, as long as its page has room for the row as it becomes (the fill factor above).
CREATE INDEX reservations_group ON mockupd.reservations (user_id, group_id)
  WHERE group_id IS NOT NULL;
CREATE INDEX reservations_mockup ON mockupd.reservations (user_id, mockup_id)
  WHERE mockup_id IS NOT NULL;
-- The order in which they are listed, and in which the open ones are found, which are among the newest;
-- those of one instant are put in order when they are read. The condition holds for every row. It keeps
-- the index from being taken for the key, by a plan that was made while there were few rows: all that a
-- user ever reserved would be read for each reservation.
CREATE INDEX reservations_created ON mockupd.reservations (user_id, created_at)
  WHERE created_at > '-infinity';

-- With a user go the counters, and with the counters the reservations: as by a reference, whatever is
-- made before the counters' lock is given up is seen here, and whoever waits for it finds no user.
-- Counters that are deleted by themselves take nothing with them.
CREATE FUNCTION mockupd.delete_reservations()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM mockupd.reservations AS r
  WHERE r.user_id = OLD.user_id
    AND NOT EXISTS (SELECT FROM auth.users AS u WHERE u.id = OLD.user_id);
  RETURN NULL;
END
$$;

CREATE TRIGGER credit_counters_deleted
  AFTER DELETE ON mockupd.credit_counters
  FOR EACH ROW EXECUTE FUNCTION mockupd.delete_reservations();

GRANT SELECT ON mockupd.reservations TO mockupd_service;

-- Commits, by the ids under which they were sent, kept for ever: with what each was asked for, did, and
-- left of its reservation, so that it can be answered again.
--
-- The plain case is in the reservation's own row and has none here: one final commit without overrun,
-- and no other before it.
CREATE TABLE mockupd.commits (
  user_id uuid NOT NULL,
  reservation_id uuid NOT NULL,
  id uuid NOT NULL,
  final boolean NOT NULL,
  allow_overrun boolean NOT NULL,
  -- It asked for all that was left, in words or by the number.
  whole boolean NOT NULL,
  credits integer NOT NULL CHECK (credits >= 0), -- spent by it
  overrun integer NOT NULL CHECK (overrun BETWEEN 0 AND credits),
  released integer NOT NULL CHECK (released >= 0), -- given back by it
  late boolean NOT NULL,
  entry_id uuid, -- its ledger row
  created_at timestamptz NOT NULL,
  -- The reservation after it.
  state text NOT NULL,
  held_after integer NOT NULL,
  committed_after integer NOT NULL,
  overrun_after integer NOT NULL,
  expires_at timestamptz NOT NULL,
  dispatched_at timestamptz,
  usage mockupd.usage NOT NULL,
  PRIMARY KEY (user_id, reservation_id, id),
  FOREIGN KEY (user_id, reservation_id)
    REFERENCES mockupd.reservations (user_id, id) ON DELETE CASCADE,
  CHECK ((entry_id IS NULL) = (credits = 0))
);

GRANT SELECT ON mockupd.commits TO mockupd_service;

-- Refunds, by the ids under which they were sent, kept for ever.
CREATE TABLE mockupd.refunds (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  charge_id uuid NOT NULL, -- the ledger row that is given back, or a part of it
  whole boolean NOT NULL, -- as in commits
  credits integer NOT NULL CHECK (credits > 0),
  entry_id uuid NOT NULL, -- its own ledger row
  usage mockupd.usage NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- What of a charge has been given back.
CREATE INDEX refunds_charge ON mockupd.refunds (user_id, charge_id);

GRANT SELECT ON mockupd.refunds TO mockupd_service;
