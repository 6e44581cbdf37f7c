-- The engine: everything that changes a user's credits goes through reserve(), settle() or refund(),
-- whether a server calls it with a batch or SQL calls it for one.
--
-- They take the time and every id as parameters, lock the users' counter rows in one order before
-- they look at anything else (a statement of its own: what it waited for is then visible to the next
-- one), decide each request as if they came one by one in the order in which they were sent, and write
-- once for the batch.
--
-- One by one is how they are decided only where it matters: for a user at the limit, or of whom one
-- reservation is asked for more than once (the functions …_in_order). Of all others the batch is decided
-- as a set, in one statement, in which running sums say what each request finds and leaves.
--
-- Their statements are planned once for a session: every row is found by its key, for one request or
-- for many, and planning would take longer than running. An empty table must not teach them to read it
-- all: where a page costs next to nothing, a key is always looked up.

-- Reads a setting that may hold anything. A number, as a JSON number or as text, is truncated and kept
-- within 0 … 2^31 - 1; any other value counts as absent.
--
-- Only what the pattern has matched is cast, without the spaces around it, and the pattern names its
-- characters one by one: what \s and \d match depends on the locale, and includes what a cast refuses.
--
-- plpgsql, here and below, where SQL would do: its plans are kept, those of an SQL function that has
-- settings of its own are made anew for each call.
CREATE FUNCTION mockupd.guardrail(p_guardrails jsonb, p_key text, p_default integer)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_number text := substring(p_guardrails ->> p_key
    FROM '^[ \t\n\v\f\r]*([+-]?[0-9]{1,100}(?:[.][0-9]{0,100})?)[ \t\n\v\f\r]*$');
BEGIN
  IF v_number IS NULL THEN
    RETURN p_default;
  END IF;
  RETURN least(greatest(trunc(v_number::numeric), 0), 2147483647);
END
$$;

-- What guardrail() says of the two budgets of every user with settings, for the hot path: a plain number
-- is read without a call, and without the pattern, which takes longer than all else of a reservation's
-- decision.
CREATE VIEW mockupd.user_budgets WITH (security_invoker = true) AS
SELECT s.user_id,
  CASE
    WHEN annual IS NULL THEN 3500
    WHEN jsonb_typeof(annual) = 'number' AND length(annual::text) <= 100
      THEN least(greatest(trunc(annual::numeric), 0), 2147483647)::integer
    ELSE mockupd.guardrail(s.guardrails, 'annual_mockup_budget', 3500)
  END AS annual,
  CASE
    WHEN monthly IS NULL THEN 292
    WHEN jsonb_typeof(monthly) = 'number' AND length(monthly::text) <= 100
      THEN least(greatest(trunc(monthly::numeric), 0), 2147483647)::integer
    ELSE mockupd.guardrail(s.guardrails, 'monthly_mockup_soft_limit', 292)
  END AS monthly
FROM (
  SELECT s.user_id, s.guardrails, s.guardrails -> 'annual_mockup_budget' AS annual,
    s.guardrails -> 'monthly_mockup_soft_limit' AS monthly
  FROM public.user_settings AS s
) AS s;

-- The counters as an answer reports them, with the user's budgets: the hard one of the year, the soft
-- one of the month.
CREATE FUNCTION mockupd.usage_of(
  p_counters mockupd.credit_counters, p_month integer, p_guardrails jsonb
) RETURNS mockupd.usage
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
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
SET search_path = pg_catalog, pg_temp
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
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN least(greatest(p_value, -2147483648), 2147483647);
END
$$;

-- A reservation as it stands at p_now: what time has decided, whether or not anything has noticed yet.
-- Nobody may have called the vendor for one that was only held, so its credits are free; whether a
-- dispatched one was charged for is not known, so its credits stay where they are.
CREATE FUNCTION mockupd.as_of(p_reservation mockupd.reservations, p_now timestamptz)
RETURNS mockupd.reservations
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF p_reservation.expires_at <= p_now THEN
    IF p_reservation.state = 'held' THEN
      p_reservation.state := 'expired';
      p_reservation.held := 0;
      p_reservation.settled_at := p_reservation.expires_at;
    ELSIF p_reservation.state = 'dispatched' THEN
      p_reservation.state := 'unresolved';
    END IF;
  END IF;
  RETURN p_reservation;
END
$$;

-- A user's p_open newest reservations of a year that are held or dispatched: all of them, when p_open is
-- what the counters say. They are read from the newest on until so many are found, and the history
-- before them is not: its settings leave no other plan.
CREATE FUNCTION mockupd.open_reservations(p_user_id uuid, p_year integer, p_open bigint)
RETURNS SETOF mockupd.reservations
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  SELECT r.* FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.created_at > '-infinity' -- as the index has it
    AND r.year = p_year AND r.state IN ('held', 'dispatched')
  ORDER BY r.created_at DESC
  LIMIT p_open;
END
$$;

-- Does to the reservations whose time has come what as_of() says, of each user p_user_ids[i] in the year
-- p_years[i], and returns how many they were. Expiry is decided here, when a user's credits are next
-- touched, and not by when something sweeps. Those years' counters are locked, each of them: what is
-- written to them here is what was read, and nobody else's. They know from then on when they have to be
-- looked at again.
CREATE FUNCTION mockupd.expire_due(p_now timestamptz, p_user_ids uuid[], p_years integer[])
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET random_page_cost = 0.01
AS $$
DECLARE
  v_due record;
  v_count bigint := 0;
BEGIN
  FOR v_due IN
    WITH open AS MATERIALIZED (
      SELECT c.user_id, c.year, r.id, r.month, r.state, r.expires_at, r.expires_at <= p_now AS due,
        CASE WHEN r.state = 'held' THEN r.held ELSE 0 END AS freed
      FROM unnest(p_user_ids, p_years) AS due (user_id, year)
      JOIN mockupd.credit_counters AS c ON c.user_id = due.user_id AND c.year = due.year
      -- Most years that are due have none open: they cost no call.
      LEFT JOIN LATERAL (
        SELECT r.* FROM mockupd.open_reservations(c.user_id, c.year, c.open) AS r WHERE c.open > 0
      ) AS r ON true
    ), changed AS (
      UPDATE mockupd.reservations AS r
      SET state = CASE open.state WHEN 'held' THEN 'expired' ELSE 'unresolved' END,
        held = r.held - open.freed,
        settled_at = CASE open.state WHEN 'held' THEN r.expires_at END
      FROM open
      WHERE open.due AND r.user_id = open.user_id AND r.id = open.id
    )
    -- A year of which none is open has one row here, without a month.
    SELECT user_id, year, coalesce(month, 1) AS month,
      count(*) FILTER (WHERE due) AS count,
      count(*) FILTER (WHERE due AND state = 'dispatched') AS unresolved,
      coalesce(sum(freed) FILTER (WHERE due), 0) AS freed,
      coalesce(
        min(min(expires_at) FILTER (WHERE NOT due)) OVER (PARTITION BY user_id, year),
        'infinity') AS due_at
    FROM open
    GROUP BY user_id, year, month
  LOOP
    v_count := v_count + v_due.count;
    UPDATE mockupd.credit_counters
    SET held = held - v_due.freed,
      month_held[v_due.month] = month_held[v_due.month] - v_due.freed,
      open = open - v_due.count, unresolved = unresolved + v_due.unresolved,
      due_at = v_due.due_at
    WHERE user_id = v_due.user_id AND year = v_due.year;
  END LOOP;
  RETURN v_count;
END
$$;

-- Decides request by request, in the order in which they were sent, for reserve() and with its answers:
-- whatever those ask who are not of p_done. The counters of p_locked are locked.
CREATE FUNCTION mockupd.reserve_in_order(
  p_locked uuid[],
  p_done uuid[],
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_credits integer[],
  p_operations text[],
  p_times_to_live integer[],
  p_mockup_ids uuid[],
  p_group_ids uuid[],
  p_modes text[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  granted integer,
  reserved_at timestamptz,
  usage mockupd.usage
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_request record;
  v_counters mockupd.credit_counters;
  v_usage mockupd.usage;
  v_granted integer;
  v_decided bigint[] := '{}';
  v_made mockupd.reservations[] := '{}';
  v_changed mockupd.credit_counters[] := '{}';
BEGIN
  -- Decide what is new. An id that stands twice in the batch is decided once: by the first request
  -- that may be admitted at all.
  FOR v_request IN
    SELECT i.*, c AS counters, settings.guardrails
    FROM (
      SELECT i.*, row_number() OVER (PARTITION BY i.user_id, i.id ORDER BY i.ordinal) AS turn
      FROM unnest(
        p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids, p_group_ids,
        p_modes)
        WITH ORDINALITY
        AS i (user_id, id, credits, operation, time_to_live, mockup_id, group_id, mode, ordinal)
      LEFT JOIN public.mockups AS m ON m.id = i.mockup_id AND m.user_id = i.user_id
      WHERE i.mockup_id IS NULL OR m.id IS NOT NULL
    ) AS i
    JOIN mockupd.credit_counters AS c ON c.user_id = i.user_id AND c.year = v_year
    LEFT JOIN LATERAL (
      SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = i.user_id LIMIT 1
    ) AS settings ON true
    -- Who came to be after the lock is unknown: those counters are not ours.
    WHERE i.turn = 1 AND i.user_id = ANY (p_locked) AND i.user_id <> ALL (p_done)
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
    v_granted := CASE
      WHEN v_request.credits <= mockupd.available(v_usage) THEN v_request.credits
      WHEN v_request.mode = 'best_effort' THEN greatest(mockupd.available(v_usage), 0)
      ELSE 0
    END;
    IF v_granted > 0 THEN
      v_usage.held := v_usage.held + v_granted;
      v_usage.monthly_held := v_usage.monthly_held + v_granted;
      v_counters.held := v_usage.held;
      v_counters.month_held[v_month] := v_usage.monthly_held;
      v_counters.open := v_counters.open + 1;
      v_counters.due_at := least(
        v_counters.due_at, p_now + make_interval(secs => v_request.time_to_live));
    END IF;

    v_decided := v_decided || v_request.ordinal;
    v_made := v_made || ROW(
      v_request.user_id, v_request.id,
      v_request.credits, v_request.operation, v_request.mode, v_request.time_to_live,
      v_request.mockup_id, v_request.group_id,
      v_year, v_month,
      CASE WHEN v_granted > 0 THEN 'held' ELSE 'refused' END,
      v_granted, v_granted,
      0, 0, false, NULL, NULL,
      p_now, p_now + make_interval(secs => v_request.time_to_live), NULL,
      CASE WHEN v_granted = 0 THEN p_now END,
      v_usage, NULL
    )::mockupd.reservations;
  END LOOP;
  IF v_counters.user_id IS NOT NULL THEN
    v_changed := v_changed || v_counters;
  END IF;

  INSERT INTO mockupd.reservations SELECT made.* FROM unnest(v_made) AS made;

  UPDATE mockupd.credit_counters AS c
  SET held = changed.held, month_held = changed.month_held, open = changed.open,
    due_at = changed.due_at
  FROM unnest(v_changed) AS changed
  WHERE c.user_id = changed.user_id AND c.year = changed.year;

  -- Answer from the rows, so that a first answer and its replay are read in one way.
  RETURN QUERY
  SELECT
    i.ordinal,
    CASE
      WHEN r.id IS NULL AND i.user_id <> ALL (p_locked) THEN 'unknown_user'
      WHEN r.id IS NULL OR i.ordinal < made.ordinal THEN 'unknown_mockup'
      WHEN r.credits <> i.credits THEN 'conflicting_credits'
      WHEN r.operation <> i.operation THEN 'conflicting_operation'
      WHEN r.time_to_live <> i.time_to_live THEN 'conflicting_time_to_live'
      WHEN r.mockup_id IS DISTINCT FROM i.mockup_id THEN 'conflicting_mockup_id'
      WHEN r.group_id IS DISTINCT FROM i.group_id THEN 'conflicting_group_id'
      WHEN r.mode <> i.mode THEN 'conflicting_mode'
      WHEN r.state = 'refused' THEN 'refused'
      ELSE 'admitted'
    END,
    coalesce(i.ordinal > made.ordinal, r.id IS NOT NULL),
    r.granted,
    r.created_at,
    r.reserved_usage
  FROM unnest(
    p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids, p_group_ids, p_modes)
    WITH ORDINALITY
    AS i (user_id, id, credits, operation, time_to_live, mockup_id, group_id, mode, ordinal)
  LEFT JOIN mockupd.reservations AS r ON r.user_id = i.user_id AND r.id = i.id
  LEFT JOIN (
    SELECT p_user_ids[d.ordinal] AS user_id, p_ids[d.ordinal] AS id, d.ordinal
    FROM unnest(v_decided) AS d (ordinal)
  ) AS made ON made.user_id = i.user_id AND made.id = i.id
  WHERE (i.user_id = ANY (p_done)) IS NOT TRUE;
END
$$;

-- Reserves each user_ids[i]'s credits[i] under the id ids[i], in order, all in the year and month of
-- p_now. One row for each request, in no particular order:
--
--   admitted, refused      with the credits granted (the whole, or, of a best effort, what there is)
--                          and the usage after it; replayed where the id was sent before, and then
--                          with the time and usage of the first answer
--   conflicting_FIELD      the id was sent before with another FIELD
--   unknown_user, unknown_mockup (or another user's)
--
-- All requests of a user that are new and fit together are admitted at once, with the usage after each
-- taken from a running sum. A user of whom this does not hold is decided about request by request.
CREATE FUNCTION mockupd.reserve(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_credits integer[],
  p_operations text[],
  p_times_to_live integer[],
  p_mockup_ids uuid[],
  p_group_ids uuid[],
  p_modes text[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  granted integer,
  reserved_at timestamptz,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_counters mockupd.credit_counters[];
  v_locked uuid[];
  v_due uuid[];
  v_missing boolean;
  v_made boolean := false;
  v_replays boolean := false;
  v_admitted uuid[] := '{}';
  v_answered bigint := 0;
BEGIN
  -- The usual is taken for granted, that all users have their counters and all ids are new. Where it
  -- does not hold, what was done is undone, the locks as well, and done again with what it takes. (What
  -- locks a row is also what changes it: were one of them inside the block and the other not, the server
  -- would have to note for the row that two transactions have it.)
  LOOP
    BEGIN
      SELECT coalesce(array_agg(locked.counters), '{}'), coalesce(array_agg(locked.user_id), '{}'),
        array_agg(locked.user_id) FILTER (WHERE locked.due_at <= p_now),
        count(*) < (SELECT count(DISTINCT u) FROM unnest(p_user_ids) AS u)
      INTO v_counters, v_locked, v_due, v_missing
      FROM (
        SELECT c AS counters, c.user_id, c.due_at FROM mockupd.credit_counters AS c
        WHERE c.user_id = ANY (p_user_ids) AND c.year = v_year
        ORDER BY c.user_id
        FOR NO KEY UPDATE
      ) AS locked;
      -- A user's first request in a year makes the row that it locks. Who has locked a part of the rows
      -- may not wait for others that are being made: they are given up first.
      IF v_missing AND NOT v_made THEN
        RAISE EXCEPTION no_data_found;
      END IF;

      IF v_due IS NOT NULL THEN
        PERFORM mockupd.expire_due(
          p_now, v_due, array_fill(v_year, ARRAY[cardinality(v_due)]));
        SELECT array_agg(c) INTO v_counters
        FROM mockupd.credit_counters AS c
        WHERE c.user_id = ANY (v_locked) AND c.year = v_year;
      END IF;

      -- Admit those whose requests are all new and fit together.
      RETURN QUERY
      WITH budget AS (
        SELECT c.*, coalesce(b.annual, 3500) AS annual, coalesce(b.monthly, 292) AS monthly
        FROM unnest(v_counters) AS c
        -- (A subquery with a limit is looked up by its key for each row, whatever the planner thinks
        -- of joins.)
        LEFT JOIN LATERAL (
          SELECT b.annual, b.monthly FROM mockupd.user_budgets AS b WHERE b.user_id = c.user_id LIMIT 1
        ) AS b ON true
      ), request AS MATERIALIZED (
        SELECT i.*, p_now + make_interval(secs => i.time_to_live) AS expires_at,
          ROW(
            i.annual, i.monthly, i.generation, i.regeneration, i.refund,
            i.held + i.credits_so_far, i.monthly_used, i.monthly_held + i.credits_so_far
          )::mockupd.usage AS usage
        FROM (
          SELECT i.*, b.annual, b.monthly, b.generation, b.regeneration, b.refund, b.held,
            b.month_used[v_month] AS monthly_used, b.month_held[v_month] AS monthly_held,
            sum(i.credits) OVER so_far AS credits_so_far,
            sum(i.credits) OVER all_of_user AS credits_of_user,
            bool_and((
              (i.mockup_id IS NULL OR (
                SELECT m.id FROM public.mockups AS m
                WHERE m.id = i.mockup_id AND m.user_id = i.user_id) IS NOT NULL)
              AND (NOT v_replays
                OR (SELECT r.id FROM mockupd.reservations AS r
                  WHERE r.user_id = i.user_id AND r.id = i.id) IS NULL
                AND i.id NOT IN (
                  SELECT id FROM unnest(p_ids) AS id GROUP BY id HAVING count(*) > 1))
              ) IS TRUE) OVER all_of_user AS all_new
          FROM unnest(
            p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids, p_group_ids,
            p_modes)
            WITH ORDINALITY
            AS i (user_id, id, credits, operation, time_to_live, mockup_id, group_id, mode, ordinal)
          -- Who came to be after the lock is unknown: those counters are not ours.
          JOIN budget AS b ON b.user_id = i.user_id
          WINDOW all_of_user AS (PARTITION BY i.user_id),
            so_far AS (PARTITION BY i.user_id ORDER BY i.ordinal ROWS UNBOUNDED PRECEDING)
        ) AS i
        WHERE i.all_new AND i.credits_of_user
          <= i.annual - (i.generation + i.regeneration - i.refund) - i.held
      ), made AS (
        INSERT INTO mockupd.reservations (
          user_id, id, credits, operation, mode, time_to_live, mockup_id, group_id, year, month,
          state, granted, held, created_at, expires_at, reserved_usage)
        SELECT
          i.user_id, i.id, i.credits, i.operation, i.mode, i.time_to_live, i.mockup_id, i.group_id,
          v_year, v_month, 'held', i.credits, i.credits, p_now, i.expires_at, i.usage
        FROM request AS i
        RETURNING 1
      ), counted AS (
        UPDATE mockupd.credit_counters AS c
        SET held = c.held + asked.credits,
          month_held[v_month] = c.month_held[v_month] + asked.credits,
          open = c.open + asked.reservations,
          due_at = least(c.due_at, asked.due_at)
        FROM (
          SELECT i.user_id, sum(i.credits) AS credits, count(*) AS reservations,
            min(i.expires_at) AS due_at
          FROM request AS i GROUP BY i.user_id
        ) AS asked
        WHERE c.user_id = asked.user_id AND c.year = v_year
      )
      SELECT i.ordinal, 'admitted', false, i.credits, p_now, i.usage
      FROM request AS i
      -- Once all are made: an answer that was given is not taken back when the rest is undone.
      WHERE (SELECT count(*) FROM made) > 0;
      GET DIAGNOSTICS v_answered = ROW_COUNT;
      EXIT;
    EXCEPTION
      WHEN no_data_found THEN
        INSERT INTO mockupd.credit_counters (user_id, year)
        SELECT u.id, v_year FROM auth.users AS u WHERE u.id = ANY (p_user_ids) ORDER BY u.id
        ON CONFLICT DO NOTHING;
        v_made := true;
      WHEN integrity_constraint_violation THEN
        -- Of the key: an id was sent before. Of a check: the request is wrong, or its id was sent
        -- before, and then it is not made again.
        IF v_replays THEN
          RAISE;
        END IF;
        v_replays := true;
    END;
  END LOOP;

  IF v_answered < cardinality(p_ids) THEN
    -- Who was admitted holds more than before.
    SELECT coalesce(array_agg(c.user_id), '{}') INTO v_admitted
    FROM unnest(v_counters) AS before
    JOIN mockupd.credit_counters AS c ON c.user_id = before.user_id AND c.year = before.year
    WHERE c.held > before.held;

    RETURN QUERY
    SELECT * FROM mockupd.reserve_in_order(
      v_locked, v_admitted, p_now, p_user_ids, p_ids, p_credits, p_operations, p_times_to_live,
      p_mockup_ids, p_group_ids, p_modes);
  END IF;
END
$$;

-- What a plain request does to its reservation, and the usage after it: see settle().
CREATE TYPE mockupd.settlement AS (
  ordinal bigint,
  user_id uuid,
  id uuid,
  action text,
  commit_id uuid,
  entry_id uuid,
  ends_at timestamptz, -- of what does not settle it, the end that it asks for
  -- Of the reservation as it is found.
  year integer,
  month integer,
  operation text,
  mockup_id uuid,
  state text,
  charged integer,
  freed integer,
  sequence bigint, -- of its ledger row
  usage mockupd.usage
);

-- Settles request by request, in the order in which they were sent, for settle() and with its answers:
-- whatever those ask who are not of p_done. Their counters of p_years are locked.
CREATE FUNCTION mockupd.settle_in_order(
  p_years integer[],
  p_done uuid[],
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_actions text[],
  p_commit_ids uuid[],
  p_credits integer[],
  p_finals boolean[],
  p_allow_overruns boolean[],
  p_times_to_live integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  reservation mockupd.reservations,
  usage mockupd.usage,
  charged integer,
  overrun integer,
  released integer,
  late boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_runs bigint[];
  v_request record;
  v_counters mockupd.credit_counters;
  v_reservation mockupd.reservations;
  v_commit mockupd.commits;
  v_usage mockupd.usage;
  v_open boolean;
  v_left integer;
  v_charge integer;
  v_overrun integer;
  v_final boolean;
  v_balance bigint;
  v_settled mockupd.reservations[];
  v_commits mockupd.commits[];
  v_changed mockupd.credit_counters[];
  v_entry public.mockup_credit_usage;
  v_entries public.mockup_credit_usage[];
BEGIN
  -- A user's batch is cut into runs in which no reservation stands twice: each request for one that
  -- stood before begins another, which sees what the one before it left.
  SELECT array_agg(CASE WHEN (i.user_id = ANY (p_done)) IS NOT TRUE THEN i.run END ORDER BY i.ordinal)
  INTO v_runs
  FROM (
    SELECT i.user_id, i.ordinal,
      1 + count(*) FILTER (WHERE i.turn > 1) OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS run
    FROM (
      SELECT i.*, row_number() OVER (PARTITION BY i.user_id, i.id ORDER BY i.ordinal) AS turn
      FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
    ) AS i
  ) AS i;

  FOR v_run IN 1 .. coalesce((SELECT max(r.run) FROM unnest(v_runs) AS r (run)), 0) LOOP
    v_counters := NULL;
    v_settled := '{}';
    v_commits := '{}';
    v_changed := '{}';
    v_entries := '{}';

    FOR v_request IN
      SELECT i.*, r AS reservation, sent AS sent, c AS counters, settings.guardrails
      FROM unnest(
        p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals, p_allow_overruns,
        p_times_to_live, p_entry_ids, p_years, v_runs)
        WITH ORDINALITY
        AS i (user_id, id, action, commit_id, credits, final, allow_overrun, time_to_live, entry_id,
          year, run, ordinal)
      LEFT JOIN mockupd.reservations AS r
        ON r.user_id = i.user_id AND r.id = i.id AND r.year = i.year
      LEFT JOIN mockupd.commits AS sent
        ON sent.user_id = i.user_id AND sent.reservation_id = i.id AND sent.id = i.commit_id
      LEFT JOIN mockupd.credit_counters AS c ON c.user_id = r.user_id AND c.year = r.year
      LEFT JOIN LATERAL (
        SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = i.user_id LIMIT 1
      ) AS settings ON true
      WHERE i.run = v_run
      ORDER BY r.user_id, r.year, i.ordinal
    LOOP
      v_reservation := v_request.reservation;
      v_commit := v_request.sent;
      ordinal := v_request.ordinal;
      replayed := false;
      reservation := v_reservation;
      usage := NULL;
      charged := 0;
      overrun := 0;
      released := 0;
      late := false;

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
      usage := v_usage;

      v_open := v_reservation.state IN ('held', 'dispatched', 'unresolved');
      -- Of an open one this is what it holds, of an expired one what it held.
      v_left := v_reservation.granted - (v_reservation.committed - v_reservation.overrun);
      v_final := coalesce(v_request.final, true);

      -- Dispatch and extend move no credits.
      IF v_request.action IN ('dispatch', 'extend') THEN
        IF v_reservation.state NOT IN ('held', 'dispatched') THEN
          outcome := 'not_open';
          RETURN NEXT;
          CONTINUE;
        END IF;
        IF v_request.action = 'dispatch' THEN
          replayed := v_reservation.state = 'dispatched';
          v_reservation.state := 'dispatched';
          v_reservation.dispatched_at := coalesce(v_reservation.dispatched_at, p_now);
        END IF;
        v_reservation.expires_at := greatest(
          v_reservation.expires_at, p_now + make_interval(secs => v_request.time_to_live));
        v_settled := v_settled || v_reservation;
        outcome := 'settled';
        reservation := v_reservation;
        RETURN NEXT;
        CONTINUE;
      END IF;

      IF v_request.action = 'commit' THEN
        -- A commit that is in the reservation's own row.
        IF v_commit.id IS NULL AND v_reservation.commit_id = v_request.commit_id THEN
          v_commit.id := v_reservation.commit_id;
          v_commit.final := true;
          v_commit.allow_overrun := false;
          v_commit.whole := v_left = 0;
          v_commit.credits := v_reservation.committed;
          v_commit.overrun := 0;
          -- One that had expired held nothing; one that was dispatched cannot have.
          v_commit.released := CASE
            WHEN v_reservation.late AND v_reservation.dispatched_at IS NULL THEN 0 ELSE v_left END;
          v_commit.late := v_reservation.late;
          v_commit.usage := v_reservation.settled_usage;
        -- One that left it open: it was as this one says, whatever has become of it.
        ELSIF v_commit.id IS NOT NULL THEN
          reservation.state := v_commit.state;
          reservation.held := v_commit.held_after;
          reservation.committed := v_commit.committed_after;
          reservation.overrun := v_commit.overrun_after;
          reservation.expires_at := v_commit.expires_at;
          reservation.dispatched_at := v_commit.dispatched_at;
          IF NOT v_commit.final THEN
            reservation.late := v_commit.late;
            reservation.commit_id := NULL;
            reservation.entry_id := NULL;
            reservation.settled_at := CASE v_commit.state WHEN 'expired' THEN v_commit.expires_at END;
          END IF;
        END IF;

        IF v_commit.id IS NOT NULL THEN
          outcome := CASE
            WHEN v_commit.credits <> v_request.credits
              OR v_request.credits IS NULL AND NOT v_commit.whole THEN 'conflicting_credits'
            WHEN v_commit.final <> v_final THEN 'conflicting_final'
            WHEN v_commit.allow_overrun <> coalesce(v_request.allow_overrun, false)
              THEN 'conflicting_allow_overrun'
            ELSE 'settled'
          END;
          IF outcome = 'settled' THEN
            replayed := true;
            usage := v_commit.usage;
            charged := v_commit.credits;
            overrun := v_commit.overrun;
            released := v_commit.released;
            late := v_commit.late;
          ELSE
            reservation := v_reservation;
          END IF;
          RETURN NEXT;
          CONTINUE;
        END IF;

        v_charge := coalesce(v_request.credits, v_left);
      ELSE
        IF v_reservation.state = 'released'
          OR v_reservation.state = 'committed' AND v_reservation.commit_id IS NULL
        THEN
          outcome := 'settled';
          replayed := true;
          usage := v_reservation.settled_usage;
          released := v_left;
          late := v_reservation.late;
          RETURN NEXT;
          CONTINUE;
        END IF;

        v_charge := 0;
        v_final := true;
      END IF;

      v_overrun := greatest(v_charge - v_left, 0);
      outcome := CASE
        WHEN NOT v_open AND NOT (v_reservation.state = 'expired' AND v_charge > 0) THEN 'not_open'
        WHEN v_overrun > 0 AND NOT coalesce(v_request.allow_overrun, false) THEN 'exceeds_held'
        -- What is not held has to be available: the overrun, or, when it has expired, all of it.
        WHEN v_charge - v_reservation.held > 0
          AND v_charge - v_reservation.held > mockupd.available(v_usage) THEN 'insufficient'
        -- Refunds make room in the budget, and none in the reservation.
        WHEN v_charge > 2147483647 - v_reservation.committed THEN 'exceeds_maximum'
        ELSE 'settled'
      END;
      IF outcome <> 'settled' THEN
        RETURN NEXT;
        CONTINUE;
      END IF;

      charged := v_charge;
      overrun := v_overrun;
      late := v_reservation.late
        OR v_charge > 0 AND v_reservation.state IN ('expired', 'unresolved');
      -- What it no longer holds: what is spent of it, and, in the end, the rest.
      released := CASE
        WHEN v_open AND v_final THEN v_reservation.held - (v_charge - v_overrun) ELSE 0
      END;

      v_balance := v_usage.annual_budget
        - (v_usage.generation + v_usage.regeneration - v_usage.refund);
      IF v_open THEN
        v_usage.held := v_usage.held - (v_charge - v_overrun) - released;
        v_usage.monthly_held := v_usage.monthly_held - (v_charge - v_overrun) - released;
        v_reservation.held := v_reservation.held - (v_charge - v_overrun) - released;
      END IF;
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

      v_commit.id := CASE
        WHEN v_request.action = 'commit'
          AND (NOT v_final OR coalesce(v_request.allow_overrun, false) OR v_reservation.committed > 0)
        THEN v_request.commit_id
      END;

      v_reservation.late := late;
      v_reservation.committed := v_reservation.committed + v_charge;
      v_reservation.overrun := v_reservation.overrun + v_overrun;
      IF v_final THEN
        IF v_reservation.state = 'unresolved' THEN
          v_counters.unresolved := v_counters.unresolved - 1;
        ELSIF v_open THEN
          v_counters.open := v_counters.open - 1;
        END IF;
        v_reservation.state :=
          CASE WHEN v_reservation.committed > 0 THEN 'committed' ELSE 'released' END;
        v_reservation.commit_id :=
          CASE v_request.action WHEN 'commit' THEN v_request.commit_id END;
        v_reservation.settled_at := p_now;
        v_reservation.settled_usage := v_usage;
        IF v_charge > 0 THEN
          v_reservation.entry_id := v_request.entry_id;
        END IF;
      END IF;

      IF v_commit.id IS NOT NULL THEN
        v_commits := v_commits || ROW(
          v_reservation.user_id, v_reservation.id, v_commit.id,
          v_final, coalesce(v_request.allow_overrun, false), v_charge = v_left,
          v_charge, v_overrun, released, late,
          CASE WHEN v_charge > 0 THEN v_request.entry_id END, p_now,
          v_reservation.state, v_reservation.held, v_reservation.committed, v_reservation.overrun,
          v_reservation.expires_at, v_reservation.dispatched_at, v_usage
        )::mockupd.commits;
      END IF;

      IF v_charge > 0 THEN
        v_counters.entries := v_counters.entries + 1;
        -- By name: the table may have more columns, or have them in another order.
        v_entry := NULL;
        v_entry.id := v_request.entry_id;
        v_entry.user_id := v_reservation.user_id;
        v_entry.mockup_id := v_reservation.mockup_id;
        v_entry.credits := v_charge;
        v_entry.operation := v_reservation.operation;
        v_entry.balance_before := mockupd.as_integer(v_balance);
        v_entry.balance_after := mockupd.as_integer(v_balance - v_charge);
        v_entry.year := v_reservation.year;
        v_entry.month := v_reservation.month;
        v_entry.created_at := p_now;
        v_entry.sequence := v_counters.entries;
        v_entry.reservation_id := v_reservation.id;
        v_entry.late := late;
        v_entry.overrun := v_overrun;
        v_entry.annual_budget := v_usage.annual_budget;
        v_entries := v_entries || v_entry;
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
      created_at, sequence, reservation_id, late, overrun, annual_budget)
    SELECT
      e.id, e.user_id,
      -- The mockup may be gone by now; the lock keeps it until the row refers to it.
      (SELECT m.id FROM public.mockups AS m WHERE m.id = e.mockup_id FOR KEY SHARE),
      e.credits, e.operation, e.balance_before, e.balance_after, e.year, e.month,
      e.created_at, e.sequence, e.reservation_id, e.late, e.overrun, e.annual_budget
    FROM unnest(v_entries) AS e;

    INSERT INTO mockupd.commits SELECT made.* FROM unnest(v_commits) AS made;

    UPDATE mockupd.reservations AS r
    SET state = s.state, held = s.held, committed = s.committed, overrun = s.overrun, late = s.late,
      commit_id = s.commit_id, entry_id = s.entry_id, expires_at = s.expires_at,
      dispatched_at = s.dispatched_at, settled_at = s.settled_at, settled_usage = s.settled_usage
    FROM unnest(v_settled) AS s
    WHERE r.user_id = s.user_id AND r.id = s.id;

    UPDATE mockupd.credit_counters AS c
    SET generation = changed.generation, regeneration = changed.regeneration,
      refund = changed.refund, entries = changed.entries, held = changed.held,
      month_used = changed.month_used, month_held = changed.month_held, open = changed.open,
      unresolved = changed.unresolved
    FROM unnest(v_changed) AS changed
    WHERE c.user_id = changed.user_id AND c.year = changed.year;
  END LOOP;
END
$$;

-- Settles reservations, and what goes before it: does actions[i] to ids[i].
--
--   dispatch   the vendor is about to be called: from here on its time may pass without its credits
--              being free. With a time to live it extends as well
--   extend     moves the end to p_now + times_to_live[i] seconds, and never to an earlier time
--   commit     spends credits[i] (null: all that is left) under commit_ids[i], which makes it happen
--              once, and writes the ledger row entry_ids[i]. Where finals[i] is false it stays as it
--              is, for more; else what is left is free again. 0 is a release. With allow_overruns[i] it
--              may spend more than is left, from what is available. One that has expired is admitted
--              again, against what is available
--   release    gives back what it holds
--
-- One row for each request:
--
--   settled                with the reservation and the usage after it, and what a commit or release
--                          charged (and what of that was overrun) and gave back; replayed where it was
--                          done before, and then with that answer
--   not_found              the user has no such reservation
--   conflicting_FIELD      the commit id was sent before with another FIELD
--   not_open               the reservation's state forbids it
--   exceeds_held           more than the reservation has left
--   insufficient           what is available is not enough
--   exceeds_maximum        the reservation's commits would come to more than 2^31 - 1 credits
--
-- Where nothing is settled, nothing changes.
--
-- A user whose requests are all plain is done at once, with the usage after each taken from running
-- sums. Plain is what settles, moves on or extends an open reservation of one period that nothing has
-- been spent of, and that stands in the batch but once; a commit is it when it spends no more than there
-- is, and was not sent before. All else is done request by request.
CREATE FUNCTION mockupd.settle(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_actions text[],
  p_commit_ids uuid[],
  p_credits integer[],
  p_finals boolean[],
  p_allow_overruns boolean[],
  p_times_to_live integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  reservation mockupd.reservations,
  usage mockupd.usage,
  charged integer,
  overrun integer,
  released integer,
  late boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_found integer[];
  v_years integer[];
  v_counters mockupd.credit_counters[];
  v_due uuid[];
  v_due_years integer[];
  v_steps mockupd.settlement[];
  v_plain uuid[] := '{}';
BEGIN
  -- A reservation's year never changes, so it may be read before the lock: of each request, null
  -- where there is none. A reservation that was made while this waited for the lock is looked up
  -- again: another request of the batch answers with figures that count it. One made after the last
  -- look is unknown to the whole batch, since its counters are not locked.
  LOOP
    SELECT array_agg(r.year ORDER BY i.ordinal) INTO v_found
    FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
    -- (A subquery with a limit is looked up by its key for each row, whatever the planner thinks of
    -- joins.)
    LEFT JOIN LATERAL (
      SELECT r.year FROM mockupd.reservations AS r
      WHERE r.user_id = i.user_id AND r.id = i.id
      LIMIT 1
    ) AS r ON true;
    EXIT WHEN v_found IS NOT DISTINCT FROM v_years;
    v_years := v_found;

    SELECT array_agg(locked.counters),
      array_agg(locked.user_id) FILTER (WHERE locked.due_at <= p_now),
      array_agg(locked.year) FILTER (WHERE locked.due_at <= p_now)
    INTO v_counters, v_due, v_due_years
    FROM (
      SELECT c AS counters, c.user_id, c.year, c.due_at FROM mockupd.credit_counters AS c
      WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (v_years)
      ORDER BY c.user_id, c.year
      FOR NO KEY UPDATE
    ) AS locked;
    EXIT WHEN array_position(v_years, NULL) IS NULL;
  END LOOP;

  -- No other years of theirs: counters that were made since are not ours.
  IF v_due IS NOT NULL THEN
    PERFORM mockupd.expire_due(p_now, v_due, v_due_years);
    SELECT array_agg(now.counters) INTO v_counters
    FROM unnest(v_counters) AS locked
    CROSS JOIN LATERAL (
      SELECT c AS counters FROM mockupd.credit_counters AS c
      WHERE c.user_id = locked.user_id AND c.year = locked.year
      LIMIT 1
    ) AS now;
  END IF;

  -- What each plain request does to its reservation, and what that makes of the usage.
  SELECT array_agg(ROW(
    i.ordinal, i.user_id, i.id, i.action, i.commit_id, i.entry_id,
    p_now + make_interval(secs => i.time_to_live),
    i.year, i.month, i.operation, i.mockup_id, i.state, i.charged, i.freed,
    i.entries + i.entries_so_far,
    ROW(
      i.annual, i.monthly, i.generation + coalesce(i.generation_so_far, 0),
      i.regeneration + i.charged_so_far - coalesce(i.generation_so_far, 0), i.refund,
      i.usage_held - i.freed_so_far, i.monthly_used + i.charged_so_far,
      i.monthly_held - i.freed_so_far)::mockupd.usage
    )::mockupd.settlement)
  INTO v_steps
  FROM (
    SELECT i.*,
      count(*) FILTER (WHERE i.charged > 0) OVER so_far AS entries_so_far,
      sum(i.charged) OVER so_far AS charged_so_far,
      sum(i.charged) FILTER (WHERE i.operation = 'generation') OVER so_far AS generation_so_far,
      sum(i.freed) OVER so_far AS freed_so_far,
      bool_and(i.plain) OVER all_of_user AND min(i.period) OVER all_of_user
        = max(i.period) OVER all_of_user AS all_plain
    FROM (
      SELECT i.*, r.year, r.month, r.operation, r.mockup_id, r.state, r.year * 12 + r.month AS period,
        b.annual, b.monthly, b.entries, b.generation, b.regeneration, b.refund,
        b.held AS usage_held, b.month_used[r.month] AS monthly_used,
        b.month_held[r.month] AS monthly_held,
        CASE i.action WHEN 'commit' THEN coalesce(i.credits, r.held) ELSE 0 END AS charged,
        -- What it no longer holds: spent, or given back.
        CASE WHEN i.action IN ('commit', 'release') THEN r.held ELSE 0 END AS freed,
        (r.state IN ('held', 'dispatched') AND r.committed = 0
          AND i.id NOT IN (SELECT id FROM unnest(p_ids) AS id GROUP BY id HAVING count(*) > 1)
          AND CASE i.action
            WHEN 'commit' THEN
              coalesce(i.final, true) AND NOT coalesce(i.allow_overrun, false)
              AND coalesce(i.credits BETWEEN 1 AND r.held, true)
              AND (
                SELECT sent.id FROM mockupd.commits AS sent
                WHERE sent.user_id = i.user_id AND sent.reservation_id = i.id
                  AND sent.id = i.commit_id
              ) IS NULL
            ELSE i.action IN ('release', 'dispatch', 'extend')
          END) IS TRUE AS plain
      FROM unnest(
        p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals, p_allow_overruns,
        p_times_to_live, p_entry_ids)
        WITH ORDINALITY
        AS i (user_id, id, action, commit_id, credits, final, allow_overrun, time_to_live, entry_id,
          ordinal)
      LEFT JOIN LATERAL (
        SELECT r.year, r.month, r.operation, r.mockup_id, r.state, r.held, r.committed
        FROM mockupd.reservations AS r
        WHERE r.user_id = i.user_id AND r.id = i.id
        LIMIT 1
      ) AS r ON true
      LEFT JOIN (
        SELECT c.*, coalesce(b.annual, 3500) AS annual, coalesce(b.monthly, 292) AS monthly
        FROM unnest(v_counters) AS c
        LEFT JOIN LATERAL (
          SELECT b.annual, b.monthly FROM mockupd.user_budgets AS b WHERE b.user_id = c.user_id LIMIT 1
        ) AS b ON true
      ) AS b ON b.user_id = i.user_id AND b.year = r.year
    ) AS i
    WINDOW all_of_user AS (PARTITION BY i.user_id),
      so_far AS (PARTITION BY i.user_id ORDER BY i.ordinal ROWS UNBOUNDED PRECEDING)
  ) AS i
  WHERE i.all_plain AND i.entries IS NOT NULL;

  -- Do them.
  IF v_steps IS NOT NULL THEN
    RETURN QUERY
    WITH step AS MATERIALIZED (
      SELECT i.*, i.action IN ('commit', 'release') AS settles FROM unnest(v_steps) AS i
    ), settled AS (
      UPDATE mockupd.reservations AS r
      SET state = CASE i.action
          WHEN 'commit' THEN 'committed' WHEN 'release' THEN 'released'
          WHEN 'dispatch' THEN 'dispatched' ELSE r.state END,
        held = r.held - i.freed,
        committed = i.charged,
        commit_id = CASE i.action WHEN 'commit' THEN i.commit_id END,
        entry_id = CASE i.action WHEN 'commit' THEN i.entry_id END,
        expires_at = CASE WHEN i.settles THEN r.expires_at ELSE greatest(r.expires_at, i.ends_at) END,
        dispatched_at = CASE i.action
          WHEN 'dispatch' THEN coalesce(r.dispatched_at, p_now) ELSE r.dispatched_at END,
        settled_at = CASE WHEN i.settles THEN p_now END,
        settled_usage = CASE WHEN i.settles THEN i.usage END
      FROM step AS i
      WHERE r.user_id = i.user_id AND r.id = i.id
      RETURNING i.ordinal, i.action = 'dispatch' AND i.state = 'dispatched' AS replayed,
        r AS reservation, i.usage, i.charged, i.freed - i.charged AS released
    ), entered AS (
      INSERT INTO public.mockup_credit_usage (
        id, user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
        created_at, sequence, reservation_id, annual_budget)
      SELECT
        i.entry_id, i.user_id,
        -- The mockup may be gone by now; the lock keeps it until the row refers to it.
        CASE WHEN i.mockup_id IS NOT NULL THEN
          (SELECT m.id FROM public.mockups AS m WHERE m.id = i.mockup_id FOR KEY SHARE)
        END,
        i.charged, i.operation,
        -- mockupd.as_integer
        least(greatest(balance.after + i.charged, -2147483648), 2147483647),
        least(greatest(balance.after, -2147483648), 2147483647),
        i.year, i.month, p_now, i.sequence, i.id, (i.usage).annual_budget
      FROM step AS i
      CROSS JOIN LATERAL (
        SELECT (i.usage).annual_budget
          - ((i.usage).generation + (i.usage).regeneration - (i.usage).refund) AS after
      ) AS balance
      WHERE i.charged > 0
    ), counted AS (
      UPDATE mockupd.credit_counters AS c
      SET generation = c.generation + asked.generation,
        regeneration = c.regeneration + asked.regeneration,
        entries = c.entries + asked.entries,
        held = c.held - asked.freed,
        open = c.open - asked.reservations,
        month_used[asked.month] = c.month_used[asked.month] + asked.generation + asked.regeneration,
        month_held[asked.month] = c.month_held[asked.month] - asked.freed
      FROM (
        SELECT i.user_id, i.year, i.month,
          coalesce(sum(i.charged) FILTER (WHERE i.operation = 'generation'), 0) AS generation,
          coalesce(sum(i.charged) FILTER (WHERE i.operation = 'regeneration'), 0) AS regeneration,
          count(*) FILTER (WHERE i.charged > 0) AS entries,
          sum(i.freed) AS freed,
          count(*) AS reservations
        FROM step AS i
        WHERE i.settles
        GROUP BY i.user_id, i.year, i.month
      ) AS asked
      WHERE c.user_id = asked.user_id AND c.year = asked.year
    )
    SELECT i.ordinal, 'settled', i.replayed, i.reservation, i.usage, i.charged, 0,
      i.released, false
    FROM settled AS i;
  END IF;

  IF coalesce(cardinality(v_steps), 0) < cardinality(p_ids) THEN
    SELECT coalesce(array_agg(DISTINCT i.user_id), '{}') INTO v_plain FROM unnest(v_steps) AS i;
    RETURN QUERY
    SELECT * FROM mockupd.settle_in_order(
      v_years, v_plain, p_now, p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals,
      p_allow_overruns, p_times_to_live, p_entry_ids);
  END IF;
END
$$;

-- Takes a dispatch back: the vendor has not charged, so the reservation is held again, and its expiry
-- decides. One that has expired by now is expired, and its credits are free. Does nothing to a
-- reservation that is not dispatched or unresolved.
CREATE FUNCTION mockupd.undo_dispatch(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_reservation mockupd.reservations;
BEGIN
  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = p_user_id AND c.year = (
    SELECT r.year FROM mockupd.reservations AS r WHERE r.user_id = p_user_id AND r.id = p_id)
  FOR NO KEY UPDATE;

  SELECT r.* INTO v_reservation FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = p_id;
  IF v_reservation.state IN ('dispatched', 'unresolved') THEN
    UPDATE mockupd.reservations AS r SET state = 'held', dispatched_at = NULL
    WHERE r.user_id = p_user_id AND r.id = p_id;

    UPDATE mockupd.credit_counters AS c
    SET open = c.open + (v_reservation.state = 'unresolved')::integer,
      unresolved = c.unresolved - (v_reservation.state = 'unresolved')::integer,
      due_at = least(c.due_at, v_reservation.expires_at)
    WHERE c.user_id = p_user_id AND c.year = v_reservation.year;

    IF v_reservation.expires_at <= p_now THEN
      PERFORM mockupd.expire_due(p_now, ARRAY[p_user_id], ARRAY[v_reservation.year]);
    END IF;
  END IF;
END
$$;

-- Releases every open reservation of a user's group. One row: whether there is such a group, how many
-- of its reservations were given back, now or before, and how many credits by that; replayed where none
-- was now; and the usage at p_now.
CREATE FUNCTION mockupd.release_group(p_now timestamptz, p_user_id uuid, p_group_id uuid)
RETURNS TABLE (
  known boolean, reservations bigint, released bigint, replayed boolean, usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_years integer[];
  v_ids uuid[];
BEGIN
  -- All of the user's years are locked before the group is read: nobody adds to it or settles of it
  -- until the answer is complete. A reservation in a year that began since is not part of the answer.
  INSERT INTO mockupd.credit_counters (user_id, year)
  SELECT u.id, v_year FROM auth.users AS u WHERE u.id = p_user_id
  ON CONFLICT DO NOTHING;
  SELECT array_agg(locked.year) INTO v_years
  FROM (
    SELECT c.year FROM mockupd.credit_counters AS c
    WHERE c.user_id = p_user_id
    ORDER BY c.year
    FOR NO KEY UPDATE
  ) AS locked;

  SELECT coalesce(array_agg(r.id ORDER BY r.id), '{}') INTO v_ids
  FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.group_id = p_group_id AND r.year = ANY (v_years)
    AND r.state IN ('held', 'dispatched', 'unresolved');

  -- One that has expired answers not_open.
  SELECT count(*) FILTER (WHERE s.outcome = 'settled' AND NOT s.replayed) = 0 INTO replayed
  FROM mockupd.settle(
    p_now, array_fill(p_user_id, ARRAY[cardinality(v_ids)]), v_ids,
    array_fill('release'::text, ARRAY[cardinality(v_ids)]),
    '{}', '{}', '{}', '{}', '{}', '{}') AS s;

  SELECT count(*) > 0, count(*) FILTER (WHERE given.back),
    coalesce(sum(r.granted - (r.committed - r.overrun)) FILTER (WHERE given.back), 0)
  INTO known, reservations, released
  FROM mockupd.reservations AS r
  CROSS JOIN LATERAL (
    SELECT r.state = 'released' OR r.state = 'committed' AND r.commit_id IS NULL AS back
  ) AS given
  WHERE r.user_id = p_user_id AND r.group_id = p_group_id AND r.year = ANY (v_years);

  SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, v_year, v_month) AS u;
  RETURN NEXT;
END
$$;

-- Gives back credits[i] (null: all that is left) of what the ledger row charge_ids[i] charged, under
-- the id ids[i], to the period that was charged, and writes the ledger row entry_ids[i]. One row for
-- each request, in order:
--
--   refunded               with the refund's ledger row and the usage after it; replayed where the id
--                          was sent before, and then with that answer
--   conflicting_FIELD      the id was sent before with another FIELD
--   not_found              the user's ledger has no such row
--   not_a_charge           the row is a refund itself
--   exceeds_charge         more than was charged and is not yet given back
CREATE FUNCTION mockupd.refund(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_charge_ids uuid[],
  p_credits integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  entry public.mockup_credit_usage,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_found integer[];
  v_years integer[];
  v_request record;
  v_charge public.mockup_credit_usage;
  v_sent mockupd.refunds;
  v_counters mockupd.credit_counters;
  v_guardrails jsonb;
  v_usage mockupd.usage;
  v_left bigint;
  v_credits integer;
  v_balance bigint;
BEGIN
  -- The ledger's rows never change, so their years may be read before the lock. A charge that was
  -- written while this waited for the lock is looked up again, as in settle().
  LOOP
    SELECT array_agg(e.year ORDER BY i.ordinal) INTO v_found
    FROM unnest(p_user_ids, p_charge_ids) WITH ORDINALITY AS i (user_id, charge_id, ordinal)
    LEFT JOIN LATERAL (
      SELECT e.year FROM public.mockup_credit_usage AS e
      WHERE e.id = i.charge_id AND e.user_id = i.user_id
      LIMIT 1
    ) AS e ON true;
    EXIT WHEN v_found IS NOT DISTINCT FROM v_years;
    v_years := v_found;

    PERFORM FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (v_years)
    ORDER BY c.user_id, c.year
    FOR NO KEY UPDATE;
    EXIT WHEN array_position(v_years, NULL) IS NULL;
  END LOOP;

  FOR v_request IN
    SELECT i.*
    FROM unnest(p_user_ids, p_ids, p_charge_ids, p_credits, p_entry_ids, v_years)
      WITH ORDINALITY AS i (user_id, id, charge_id, credits, entry_id, year, ordinal)
    ORDER BY i.ordinal
  LOOP
    ordinal := v_request.ordinal;
    replayed := false;
    entry := NULL;
    usage := NULL;

    SELECT * INTO v_sent FROM mockupd.refunds AS r
    WHERE r.user_id = v_request.user_id AND r.id = v_request.id;
    IF v_sent.id IS NOT NULL THEN
      outcome := CASE
        WHEN v_sent.charge_id <> v_request.charge_id THEN 'conflicting_entry_id'
        WHEN v_sent.credits <> v_request.credits
          OR v_request.credits IS NULL AND NOT v_sent.whole THEN 'conflicting_credits'
        ELSE 'refunded'
      END;
      IF outcome = 'refunded' THEN
        replayed := true;
        SELECT * INTO entry FROM public.mockup_credit_usage AS e
        WHERE e.user_id = v_request.user_id AND e.id = v_sent.entry_id;
        usage := v_sent.usage;
      END IF;
      RETURN NEXT;
      CONTINUE;
    END IF;

    SELECT * INTO v_charge FROM public.mockup_credit_usage AS e
    WHERE e.id = v_request.charge_id AND e.user_id = v_request.user_id
      AND e.year = v_request.year;
    SELECT v_charge.credits - coalesce(sum(r.credits), 0) INTO v_left
    FROM mockupd.refunds AS r
    WHERE r.user_id = v_request.user_id AND r.charge_id = v_request.charge_id;
    outcome := CASE
      WHEN v_charge.id IS NULL THEN 'not_found'
      WHEN v_charge.operation NOT IN ('generation', 'regeneration') THEN 'not_a_charge'
      WHEN v_left < 1 OR v_request.credits > v_left THEN 'exceeds_charge'
      ELSE 'refunded'
    END;
    IF outcome <> 'refunded' THEN
      RETURN NEXT;
      CONTINUE;
    END IF;
    v_credits := coalesce(v_request.credits, v_left);

    PERFORM mockupd.expire_due(p_now, ARRAY[v_request.user_id], ARRAY[v_request.year]);
    SELECT * INTO v_counters FROM mockupd.credit_counters AS c
    WHERE c.user_id = v_request.user_id AND c.year = v_charge.year;
    v_guardrails := (
      SELECT s.guardrails FROM public.user_settings AS s WHERE s.user_id = v_request.user_id LIMIT 1);
    v_usage := mockupd.usage_of(v_counters, v_charge.month::integer, v_guardrails);
    v_balance := v_usage.annual_budget
      - (v_usage.generation + v_usage.regeneration - v_usage.refund);
    v_usage.refund := v_usage.refund + v_credits;
    v_usage.monthly_used := v_usage.monthly_used - v_credits;

    UPDATE mockupd.credit_counters AS c
    SET refund = v_usage.refund, entries = c.entries + 1,
      month_used[v_charge.month] = v_usage.monthly_used
    WHERE c.user_id = v_request.user_id AND c.year = v_charge.year;

    INSERT INTO public.mockup_credit_usage (
      id, user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
      created_at, sequence, reservation_id, refunded_entry_id, annual_budget)
    VALUES (
      v_request.entry_id, v_request.user_id,
      -- As the charge says now: the mockup may be gone, and then the charge no longer names it.
      (SELECT m.id FROM public.mockups AS m WHERE m.id = v_charge.mockup_id FOR KEY SHARE),
      v_credits, 'refund',
      mockupd.as_integer(v_balance), mockupd.as_integer(v_balance + v_credits),
      v_charge.year, v_charge.month, p_now,
      v_counters.entries + 1, v_charge.reservation_id, v_charge.id, v_usage.annual_budget)
    RETURNING * INTO entry;

    INSERT INTO mockupd.refunds (user_id, id, charge_id, whole, credits, entry_id, usage)
    VALUES (
      v_request.user_id, v_request.id, v_charge.id, v_credits = v_left, v_credits,
      v_request.entry_id, v_usage);

    usage := v_usage;
    RETURN NEXT;
  END LOOP;
END
$$;

-- A user's credits at p_now in a year and month. No row for an unknown user. Reads only: what is due
-- counts as free although nothing has expired it yet.
CREATE FUNCTION mockupd.usage_at(
  p_now timestamptz, p_user_id uuid, p_year integer, p_month integer
) RETURNS SETOF mockupd.usage
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
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

  v_usage.generation := coalesce(v_usage.generation, 0);
  v_usage.regeneration := coalesce(v_usage.regeneration, 0);
  v_usage.refund := coalesce(v_usage.refund, 0);
  v_usage.held := coalesce(v_usage.held, 0);
  v_usage.monthly_used := coalesce(v_usage.monthly_used, 0);
  v_usage.monthly_held := coalesce(v_usage.monthly_held, 0);

  IF (v_user.counters).due_at <= p_now THEN
    -- STABLE: this statement sees what the one before it saw.
    SELECT
      coalesce(sum(r.held), 0) AS held,
      coalesce(sum(r.held) FILTER (WHERE r.month = p_month), 0) AS month_held
    INTO v_due
    FROM mockupd.open_reservations(p_user_id, p_year, (v_user.counters).open) AS r
    WHERE r.state = 'held' AND r.expires_at <= p_now;
    v_usage.held := v_usage.held - v_due.held;
    v_usage.monthly_held := v_usage.monthly_held - v_due.month_held;
  END IF;
  RETURN NEXT v_usage;
END
$$;

CREATE FUNCTION mockupd.user_exists(p_user_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM auth.users AS u WHERE u.id = p_user_id)
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA mockupd FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.reserve(
    timestamptz, uuid[], uuid[], integer[], text[], integer[], uuid[], uuid[], text[]),
  mockupd.settle(
    timestamptz, uuid[], uuid[], text[], uuid[], integer[], boolean[], boolean[], integer[], uuid[]),
  mockupd.release_group(timestamptz, uuid, uuid),
  mockupd.refund(timestamptz, uuid[], uuid[], uuid[], integer[], uuid[]),
  mockupd.as_of(mockupd.reservations, timestamptz),
  mockupd.usage_at(timestamptz, uuid, integer, integer),
  mockupd.user_exists(uuid)
TO mockupd_service;
