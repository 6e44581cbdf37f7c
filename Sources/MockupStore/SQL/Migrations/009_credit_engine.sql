-- The engine: everything that changes a user's credits goes through reserve() or settle(), whether a
-- server calls it with a batch or SQL calls it for one.
--
-- Both take the time and every id as parameters, lock the users' counter rows in one order before
-- they look at anything else (a statement of its own: what it waited for is then visible to the next
-- one), decide each request in the order in which it was sent, and write once for the batch.
--
-- Their statements are planned once for a session: every row is found by its key, for one request or
-- for many, and planning would take longer than running. An empty table must not teach them to scan.

-- A setting that may hold anything: a number is truncated and kept within 0 … 2^31 - 1, as a JSON
-- number or as text; whatever is no number counts as absent.
--
-- plpgsql, here and below, where SQL would do: its plans are kept, those of an SQL function that has
-- settings of its own are made anew for each call.
CREATE FUNCTION mockupd.guardrail(p_guardrails jsonb, p_key text, p_default integer)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE
SET search_path = ''
AS $$
BEGIN
  IF p_guardrails ->> p_key ~ '^\s*[+-]?[0-9]{1,100}(\.[0-9]{0,100})?\s*$' THEN
    RETURN least(greatest(trunc((p_guardrails ->> p_key)::numeric), 0), 2147483647);
  END IF;
  RETURN p_default;
END
$$;

-- The counters as an answer reports them, with the user's budgets: the hard one of the year, the soft
-- one of the month.
CREATE FUNCTION mockupd.usage_of(
  p_counters mockupd.credit_counters, p_month integer, p_guardrails jsonb
) RETURNS mockupd.usage
LANGUAGE plpgsql IMMUTABLE
SET search_path = ''
AS $$
BEGIN
  RETURN ROW(
    mockupd.guardrail(p_guardrails, 'annual_mockup_budget', 3500),
    mockupd.guardrail(p_guardrails, 'monthly_mockup_soft_limit', 292),
    p_counters.generation, p_counters.regeneration, p_counters.refund, p_counters.held,
    p_counters.month_used[p_month], p_counters.month_held[p_month]
  )::mockupd.usage;
END
$$;

-- budget - used - held: what a new reservation may take. Negative after the budget was lowered.
CREATE FUNCTION mockupd.available(p_usage mockupd.usage)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
SET search_path = ''
AS $$
BEGIN
  RETURN p_usage.annual_budget
    - (p_usage.generation + p_usage.regeneration - p_usage.refund) - p_usage.held;
END
$$;

-- Sums are bigint inside; the ledger's balances and the public functions are integer.
CREATE FUNCTION mockupd.as_integer(p_value bigint)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = ''
AS $$
BEGIN
  RETURN least(greatest(p_value, -2147483648), 2147483647);
END
$$;

-- Gives back what the users' reservations held whose time has come. Expiry is decided here, when a
-- user's credits are next touched, and not by when something sweeps. The counters are locked.
CREATE FUNCTION mockupd.expire_due(p_now timestamptz, p_user_ids uuid[], p_years integer[])
RETURNS void
LANGUAGE plpgsql
SET search_path = ''
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_freed record;
BEGIN
  FOR v_freed IN
    WITH due AS (
      SELECT r.user_id, r.id, r.year, r.month, r.held
      FROM mockupd.reservations AS r
      WHERE r.user_id = ANY (p_user_ids) AND r.year = ANY (p_years)
        AND r.state = 'held' AND r.expires_at <= p_now
    ), expired AS (
      UPDATE mockupd.reservations AS r
      SET state = 'expired', held = 0, settled_at = r.expires_at
      FROM due
      WHERE r.user_id = due.user_id AND r.id = due.id
      RETURNING due.user_id, due.year, due.month, due.held
    )
    SELECT user_id, year, month, sum(held) AS credits FROM expired GROUP BY user_id, year, month
  LOOP
    UPDATE mockupd.credit_counters
    SET held = held - v_freed.credits,
      month_held[v_freed.month] = month_held[v_freed.month] - v_freed.credits
    WHERE user_id = v_freed.user_id AND year = v_freed.year;
  END LOOP;
END
$$;

-- Reserves each user_ids[i]'s credits[i] under the id ids[i], in order, all in the year and month of
-- p_now. One row for each request, in no particular order:
--
--   admitted, refused      with the usage after it; replayed where the id was sent before, and then
--                          with the time and usage of the first answer
--   conflicting_FIELD      the id was sent before with another FIELD
--   unknown_user, unknown_mockup (or another user's)
CREATE FUNCTION mockupd.reserve(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_credits integer[],
  p_operations text[],
  p_times_to_live integer[],
  p_mockup_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  reserved_at timestamptz,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ''
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_locked uuid[];
  v_request record;
  v_counters mockupd.credit_counters;
  v_usage mockupd.usage;
  v_admitted boolean;
  v_decided bigint[] := '{}';
  v_made mockupd.reservations[] := '{}';
  v_changed mockupd.credit_counters[] := '{}';
BEGIN
  SELECT coalesce(array_agg(locked.user_id), '{}') INTO v_locked FROM (
    SELECT c.user_id FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids) AND c.year = v_year
    ORDER BY c.user_id
    FOR NO KEY UPDATE
  ) AS locked;

  -- A user's first request in a year makes the row that it locks.
  IF cardinality(v_locked) < (SELECT count(DISTINCT u) FROM unnest(p_user_ids) AS u) THEN
    INSERT INTO mockupd.credit_counters (user_id, year)
    SELECT u.id, v_year FROM auth.users AS u WHERE u.id = ANY (p_user_ids) ORDER BY u.id
    ON CONFLICT DO NOTHING;

    SELECT coalesce(array_agg(locked.user_id), '{}') INTO v_locked FROM (
      SELECT c.user_id FROM mockupd.credit_counters AS c
      WHERE c.user_id = ANY (p_user_ids) AND c.year = v_year
      ORDER BY c.user_id
      FOR NO KEY UPDATE
    ) AS locked;
  END IF;

  PERFORM mockupd.expire_due(p_now, p_user_ids, ARRAY[v_year]);

  -- Decide what is new. An id that stands twice in the batch is decided once: by the first request
  -- that may be admitted at all.
  FOR v_request IN
    SELECT i.*, c AS counters, settings.guardrails
    FROM (
      SELECT i.*, row_number() OVER (PARTITION BY i.user_id, i.id ORDER BY i.ordinal) AS turn
      FROM unnest(p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids)
        WITH ORDINALITY
        AS i (user_id, id, credits, operation, time_to_live, mockup_id, ordinal)
      LEFT JOIN public.mockups AS m ON m.id = i.mockup_id AND m.user_id = i.user_id
      WHERE i.mockup_id IS NULL OR m.id IS NOT NULL
    ) AS i
    JOIN mockupd.credit_counters AS c ON c.user_id = i.user_id AND c.year = v_year
    LEFT JOIN LATERAL (
      SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = i.user_id LIMIT 1
    ) AS settings ON true
    -- Who came to be after the lock is unknown: those counters are not ours.
    WHERE i.turn = 1 AND i.user_id = ANY (v_locked)
      AND NOT EXISTS (
        SELECT FROM mockupd.reservations AS r WHERE r.user_id = i.user_id AND r.id = i.id)
    ORDER BY i.user_id, i.ordinal
  LOOP
    IF v_counters.user_id IS DISTINCT FROM v_request.user_id THEN
      IF v_counters.user_id IS NOT NULL THEN
        v_changed := v_changed || v_counters;
      END IF;
      v_counters := v_request.counters;
    END IF;

    v_usage := mockupd.usage_of(v_counters, v_month, v_request.guardrails);
    v_admitted := v_request.credits <= mockupd.available(v_usage);
    IF v_admitted THEN
      v_usage.held := v_usage.held + v_request.credits;
      v_usage.monthly_held := v_usage.monthly_held + v_request.credits;
      v_counters.held := v_usage.held;
      v_counters.month_held[v_month] := v_usage.monthly_held;
    END IF;

    v_decided := v_decided || v_request.ordinal;
    v_made := v_made || ROW(
      v_request.user_id, v_request.id,
      v_request.credits, v_request.operation, v_request.time_to_live, v_request.mockup_id,
      v_year, v_month,
      CASE WHEN v_admitted THEN 'held' ELSE 'refused' END,
      CASE WHEN v_admitted THEN v_request.credits ELSE 0 END,
      0, false, NULL, NULL,
      p_now, p_now + make_interval(secs => v_request.time_to_live),
      CASE WHEN NOT v_admitted THEN p_now END,
      v_usage, NULL
    )::mockupd.reservations;
  END LOOP;
  IF v_counters.user_id IS NOT NULL THEN
    v_changed := v_changed || v_counters;
  END IF;

  INSERT INTO mockupd.reservations SELECT made.* FROM unnest(v_made) AS made;

  UPDATE mockupd.credit_counters AS c
  SET held = changed.held, month_held = changed.month_held
  FROM unnest(v_changed) AS changed
  WHERE c.user_id = changed.user_id AND c.year = changed.year;

  -- Answer from the rows, so that a first answer and its replay are read in one way.
  RETURN QUERY
  SELECT
    i.ordinal,
    CASE
      WHEN r.id IS NULL AND i.user_id <> ALL (v_locked) THEN 'unknown_user'
      WHEN r.id IS NULL OR i.ordinal < made.ordinal THEN 'unknown_mockup'
      WHEN r.credits <> i.credits THEN 'conflicting_credits'
      WHEN r.operation <> i.operation THEN 'conflicting_operation'
      WHEN r.time_to_live <> i.time_to_live THEN 'conflicting_time_to_live'
      WHEN r.mockup_id IS DISTINCT FROM i.mockup_id THEN 'conflicting_mockup_id'
      WHEN r.state = 'refused' THEN 'refused'
      ELSE 'admitted'
    END,
    coalesce(i.ordinal > made.ordinal, r.id IS NOT NULL),
    r.created_at,
    r.reserved_usage
  FROM unnest(p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids)
    WITH ORDINALITY AS i (user_id, id, credits, operation, time_to_live, mockup_id, ordinal)
  LEFT JOIN mockupd.reservations AS r ON r.user_id = i.user_id AND r.id = i.id
  LEFT JOIN (
    SELECT p_user_ids[d.ordinal] AS user_id, p_ids[d.ordinal] AS id, d.ordinal
    FROM unnest(v_decided) AS d (ordinal)
  ) AS made ON made.user_id = i.user_id AND made.id = i.id;
END
$$;

-- Settles reservations: commits credits[i] of ids[i] under commit_ids[i] (no credits: all of it; 0: a
-- release) and writes the ledger row entry_ids[i], or, without a commit id, releases. One row for each
-- request:
--
--   settled                with the reservation and the usage after it; replayed where it was settled
--                          so before, and then with the usage of the first answer
--   not_found              the user has no such reservation
--   conflicting_credits    the commit id was sent before with other credits
--   not_open               the reservation's state forbids it
--   exceeds_held           more than the reservation set aside
--   insufficient           it had expired, and what is available is no longer enough
--
-- Where nothing is settled, nothing changes.
CREATE FUNCTION mockupd.settle(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_commit_ids uuid[],
  p_credits integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  reservation mockupd.reservations,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ''
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_years integer[];
  v_runs bigint[];
  v_request record;
  v_counters mockupd.credit_counters;
  v_reservation mockupd.reservations;
  v_usage mockupd.usage;
  v_charge integer;
  v_balance bigint;
  v_settled mockupd.reservations[];
  v_changed mockupd.credit_counters[];
  v_entries public.mockup_credit_usage[];
BEGIN
  -- A reservation's year never changes, so it may be read before the lock: of each request, null
  -- where there is none. One that is made from here on is not found below either, since it is not
  -- certain that its counters are locked.
  SELECT array_agg(r.year ORDER BY i.ordinal) INTO v_years
  FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
  LEFT JOIN mockupd.reservations AS r ON r.user_id = i.user_id AND r.id = i.id;

  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (v_years)
  ORDER BY c.user_id, c.year
  FOR NO KEY UPDATE;

  PERFORM mockupd.expire_due(p_now, p_user_ids, v_years);

  -- A user's batch is cut into runs in which no reservation stands twice: each request for one that
  -- stood before begins another, which sees what the one before it left.
  SELECT array_agg(i.run ORDER BY i.ordinal) INTO v_runs
  FROM (
    SELECT i.ordinal,
      1 + count(*) FILTER (WHERE i.turn > 1) OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS run
    FROM (
      SELECT i.*, row_number() OVER (PARTITION BY i.user_id, i.id ORDER BY i.ordinal) AS turn
      FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
    ) AS i
  ) AS i;

  FOR v_run IN 1 .. coalesce((SELECT max(r.run) FROM unnest(v_runs) AS r (run)), 0) LOOP
    v_counters := NULL;
    v_settled := '{}';
    v_changed := '{}';
    v_entries := '{}';

    FOR v_request IN
      SELECT i.*, r AS reservation, c AS counters, settings.guardrails
      FROM unnest(p_user_ids, p_ids, p_commit_ids, p_credits, p_entry_ids, v_years, v_runs)
        WITH ORDINALITY
        AS i (user_id, id, commit_id, credits, entry_id, year, run, ordinal)
      LEFT JOIN mockupd.reservations AS r
        ON r.user_id = i.user_id AND r.id = i.id AND r.year = i.year
      LEFT JOIN mockupd.credit_counters AS c ON c.user_id = r.user_id AND c.year = r.year
      LEFT JOIN LATERAL (
        SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = i.user_id LIMIT 1
      ) AS settings ON true
      WHERE i.run = v_run
      ORDER BY r.user_id, r.year, i.ordinal
    LOOP
      v_reservation := v_request.reservation;
      ordinal := v_request.ordinal;
      replayed := false;
      reservation := v_reservation;
      usage := NULL;

      IF v_reservation.id IS NULL THEN
        outcome := 'not_found';
        RETURN NEXT;
        CONTINUE;
      END IF;

      IF (v_counters.user_id, v_counters.year)
        IS DISTINCT FROM (v_reservation.user_id, v_reservation.year)
      THEN
        IF v_counters.user_id IS NOT NULL THEN
          v_changed := v_changed || v_counters;
        END IF;
        v_counters := v_request.counters;
      END IF;
      v_usage := mockupd.usage_of(v_counters, v_reservation.month, v_request.guardrails);

      v_charge := CASE
        WHEN v_request.commit_id IS NULL THEN 0
        ELSE coalesce(v_request.credits, v_reservation.credits)
      END;
      replayed := CASE
        WHEN v_request.commit_id IS NULL THEN v_reservation.state = 'released'
        ELSE v_reservation.commit_id IS NOT DISTINCT FROM v_request.commit_id
          AND v_reservation.committed = v_charge
      END;
      outcome := CASE
        WHEN replayed THEN 'settled'
        WHEN v_reservation.commit_id = v_request.commit_id THEN 'conflicting_credits'
        WHEN v_reservation.state = 'held' THEN
          CASE WHEN v_charge > v_reservation.held THEN 'exceeds_held' ELSE 'settled' END
        WHEN v_reservation.state = 'expired' AND v_charge > 0 THEN
          CASE
            WHEN v_charge > v_reservation.credits THEN 'exceeds_held'
            WHEN v_charge > mockupd.available(v_usage) THEN 'insufficient'
            ELSE 'settled'
          END
        ELSE 'not_open'
      END;

      IF replayed OR outcome <> 'settled' THEN
        usage := CASE WHEN replayed THEN v_reservation.settled_usage ELSE v_usage END;
        RETURN NEXT;
        CONTINUE;
      END IF;

      v_balance := v_usage.annual_budget
        - (v_usage.generation + v_usage.regeneration - v_usage.refund);
      v_usage.held := v_usage.held - v_reservation.held;
      v_usage.monthly_held := v_usage.monthly_held - v_reservation.held;
      v_usage.monthly_used := v_usage.monthly_used + v_charge;
      IF v_reservation.operation = 'regeneration' THEN
        v_usage.regeneration := v_usage.regeneration + v_charge;
      ELSE
        v_usage.generation := v_usage.generation + v_charge;
      END IF;

      v_counters.generation := v_usage.generation;
      v_counters.regeneration := v_usage.regeneration;
      v_counters.held := v_usage.held;
      v_counters.month_used[v_reservation.month] := v_usage.monthly_used;
      v_counters.month_held[v_reservation.month] := v_usage.monthly_held;

      v_reservation.late := v_reservation.state = 'expired';
      v_reservation.state := CASE WHEN v_charge > 0 THEN 'committed' ELSE 'released' END;
      v_reservation.held := 0;
      v_reservation.committed := v_charge;
      v_reservation.commit_id := v_request.commit_id;
      v_reservation.settled_at := p_now;
      v_reservation.settled_usage := v_usage;

      IF v_charge > 0 THEN
        v_counters.entries := v_counters.entries + 1;
        v_reservation.entry_id := v_request.entry_id;
        v_entries := v_entries || ROW(
          v_request.entry_id, v_reservation.user_id, v_reservation.mockup_id,
          v_charge, v_reservation.operation,
          mockupd.as_integer(v_balance), mockupd.as_integer(v_balance - v_charge),
          v_reservation.year, v_reservation.month, p_now,
          v_counters.entries, v_reservation.id, v_reservation.late
        )::public.mockup_credit_usage;
      END IF;

      v_settled := v_settled || v_reservation;
      reservation := v_reservation;
      usage := v_usage;
      RETURN NEXT;
    END LOOP;
    IF v_counters.user_id IS NOT NULL THEN
      v_changed := v_changed || v_counters;
    END IF;

    INSERT INTO public.mockup_credit_usage (
      id, user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
      created_at, sequence, reservation_id, late)
    SELECT
      e.id, e.user_id,
      -- The mockup may be gone by now; the lock keeps it until the row refers to it.
      (SELECT m.id FROM public.mockups AS m WHERE m.id = e.mockup_id FOR KEY SHARE),
      e.credits, e.operation, e.balance_before, e.balance_after, e.year, e.month,
      e.created_at, e.sequence, e.reservation_id, e.late
    FROM unnest(v_entries) AS e;

    UPDATE mockupd.reservations AS r
    SET state = s.state, held = s.held, committed = s.committed, late = s.late,
      commit_id = s.commit_id, entry_id = s.entry_id,
      settled_at = s.settled_at, settled_usage = s.settled_usage
    FROM unnest(v_settled) AS s
    WHERE r.user_id = s.user_id AND r.id = s.id;

    UPDATE mockupd.credit_counters AS c
    SET generation = changed.generation, regeneration = changed.regeneration,
      refund = changed.refund, entries = changed.entries, held = changed.held,
      month_used = changed.month_used, month_held = changed.month_held
    FROM unnest(v_changed) AS changed
    WHERE c.user_id = changed.user_id AND c.year = changed.year;
  END LOOP;
END
$$;

-- A user's credits at p_now in a year and month. No row for an unknown user. Reads only: what is due
-- counts as free although nothing has expired it yet.
CREATE FUNCTION mockupd.usage_at(
  p_now timestamptz, p_user_id uuid, p_year integer, p_month integer
) RETURNS SETOF mockupd.usage
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = ''
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_user record;
  v_usage mockupd.usage;
  v_due record;
BEGIN
  SELECT c AS counters, settings.guardrails INTO v_user
  FROM auth.users AS u
  LEFT JOIN mockupd.credit_counters AS c ON c.user_id = u.id AND c.year = p_year
  LEFT JOIN LATERAL (
    SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = u.id LIMIT 1
  ) AS settings ON true
  WHERE u.id = p_user_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_usage := mockupd.usage_of(v_user.counters, p_month, v_user.guardrails);

  -- STABLE: this statement sees what the one before it saw.
  SELECT
    coalesce(sum(r.held), 0) AS held,
    coalesce(sum(r.held) FILTER (WHERE r.month = p_month), 0) AS month_held
  INTO v_due
  FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.year = p_year AND r.state = 'held' AND r.expires_at <= p_now;

  v_usage.generation := coalesce(v_usage.generation, 0);
  v_usage.regeneration := coalesce(v_usage.regeneration, 0);
  v_usage.refund := coalesce(v_usage.refund, 0);
  v_usage.held := coalesce(v_usage.held, 0) - v_due.held;
  v_usage.monthly_used := coalesce(v_usage.monthly_used, 0);
  v_usage.monthly_held := coalesce(v_usage.monthly_held, 0) - v_due.month_held;
  RETURN NEXT v_usage;
END
$$;

CREATE FUNCTION mockupd.user_exists(p_user_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ''
AS $$
  SELECT EXISTS (SELECT FROM auth.users AS u WHERE u.id = p_user_id)
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA mockupd FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.reserve(timestamptz, uuid[], uuid[], integer[], text[], integer[], uuid[]),
  mockupd.settle(timestamptz, uuid[], uuid[], uuid[], integer[], uuid[]),
  mockupd.usage_at(timestamptz, uuid, integer, integer),
  mockupd.user_exists(uuid)
TO mockupd_service;
