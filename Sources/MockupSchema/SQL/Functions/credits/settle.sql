-- Settles, dispatches or extends reservations: applies p_actions[i] to p_ids[i], in order.
--
--   dispatch   Marks that the vendor is about to be called, so that the credits stay held when the
--              reservation expires. Also extends it if p_times_to_live[i] is not null.
--   extend     Moves the expiry to now + p_times_to_live[i] seconds, never to an earlier time.
--   commit     Spends p_credits[i] (null: all that are left) under the id p_commit_ids[i], as the
--              ledger row p_entry_ids[i]. Releases the rest, unless p_finals[i] is false. A final
--              commit of 0 credits is a release. If enough credits are available, it may spend more
--              than is left with p_allow_overruns[i], and an expired reservation is admitted again.
--   release    Gives back the credits that the reservation holds.
--
-- Returns one row for each request:
--
--   settled                with the reservation and the usage after it, and the credits that a
--                          commit or release charged (and their overrun) and released. A repeated
--                          action is replayed, a commit or release with its first answer.
--   not_found              the user has no such reservation
--   conflicting_FIELD      the commit id was used before with a different FIELD
--   not_open               the reservation's state does not allow the action
--   exceeds_held           the reservation has fewer credits left
--   exceeds_maximum        the reservation's commits would exceed 2^31 - 1 credits in total
--   insufficient           too few credits are available
--
-- With other outcomes, a request changes nothing. If p_now is null, the database's time counts.
CREATE OR REPLACE FUNCTION mockupd.settle(
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
  ordinal bigint, outcome text, replayed boolean, reservation mockupd.reservations,
  usage mockupd.usage, charged integer, overrun integer, released integer, late boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_found integer[];
  v_periods integer[];
  v_runs bigint[];
  v_last_run bigint;
  v_counters mockupd.credit_counters[];
  v_now timestamptz;
BEGIN
  -- A reservation's period (year * 12 + month) never changes, so it can be read before the lock. If
  -- one is missing (null), it is read again after the lock: another session may have made it, and
  -- answers to other requests of the batch count it. One made after the last read is not found.
  -- A user's requests are divided into runs in which each reservation occurs once and the period is
  -- the same. Each run is decided as a set, and reads what the previous run wrote.
  LOOP
    SELECT array_agg(i.period ORDER BY i.ordinal), array_agg(i.run ORDER BY i.ordinal), max(i.run)
    INTO v_found, v_runs, v_last_run
    FROM (
      SELECT i.ordinal, i.period,
        1 + count(*) FILTER (WHERE i.cuts) OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS run
      FROM (
        SELECT i.user_id, i.ordinal, r.period,
          row_number() OVER (PARTITION BY i.user_id, i.id ORDER BY i.ordinal) > 1
            OR r.period IS DISTINCT FROM
              lag(r.period, 1, r.period) OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS cuts
        FROM unnest(p_user_ids, p_ids) WITH ORDINALITY AS i (user_id, id, ordinal)
        -- LIMIT makes PostgreSQL look up each row by its key. Otherwise, it might choose a join.
        LEFT JOIN LATERAL (
          SELECT r.year * 12 + r.month AS period FROM mockupd.reservations AS r
          WHERE r.user_id = i.user_id AND r.id = i.id
          LIMIT 1
        ) AS r ON true
      ) AS i
    ) AS i;
    EXIT WHEN v_found IS NOT DISTINCT FROM v_periods;
    v_periods := v_found;
    SELECT l.p_now, l.counters INTO v_now, v_counters FROM mockupd.lock_counters(
      p_now, p_user_ids, ARRAY(SELECT DISTINCT (period - 1) / 12 FROM unnest(v_periods) AS period)
    ) AS l;
    EXIT WHEN array_position(v_periods, NULL) IS NULL;
  END LOOP;

  FOR v_run IN 1 .. coalesce(v_last_run, 0) LOOP
    IF v_run > 1 THEN
      v_counters := mockupd.refresh_counters(v_counters);
    END IF;

    RETURN QUERY
    WITH account AS MATERIALIZED (
      SELECT c.*, coalesce(b.annual, mockupd.default_annual_budget()) AS annual,
        coalesce(b.monthly, mockupd.default_soft_limit()) AS monthly
      FROM unnest(v_counters) AS c
      LEFT JOIN LATERAL (
        SELECT b.* FROM mockupd.user_budgets AS b WHERE b.user_id = c.user_id LIMIT 1
      ) AS b ON true
    ), request AS (
      -- The reservation's remaining credits, those that the request spends (null: it dispatches or
      -- extends), whether it closes the reservation, and the first answer to a retry. OFFSET 0,
      -- here and below, makes PostgreSQL evaluate each expression once, and not at each use.
      SELECT i.*, r.year, r.month, r.operation, r.mockup_id, r.state, r.held, r.committed, r.late,
        r.has_commits, r.granted - (r.committed - r.overrun) AS remaining,
        CASE i.action WHEN 'commit' THEN coalesce(i.credits, r.granted - (r.committed - r.overrun))
          WHEN 'release' THEN 0 END AS spends,
        i.action = 'release' OR coalesce(i.final, true) AS closes,
        CASE WHEN r.has_commits OR r.settled_at IS NOT NULL
          THEN mockupd.earlier_settlement(r.reservation, i.action, i.commit_id) END AS earlier
      FROM unnest(
        p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals, p_allow_overruns,
        p_times_to_live, p_entry_ids, v_periods, v_runs)
        WITH ORDINALITY
        AS i (user_id, id, action, commit_id, credits, final, allow_overrun, time_to_live, entry_id,
          period, run, ordinal)
      LEFT JOIN LATERAL (
        SELECT r AS reservation, r.year, r.month, r.operation, r.mockup_id, r.state, r.granted,
          r.held, r.committed, r.overrun, r.late, r.settled_at, r.has_commits
        FROM mockupd.reservations AS r
        WHERE r.user_id = i.user_id AND r.id = i.id AND i.period IS NOT NULL
        LIMIT 1
      ) AS r ON true
      WHERE i.run = v_run
      OFFSET 0
    ), ruling AS (
      SELECT i.*,
        CASE WHEN i.closes THEN i.held ELSE least(i.spends, i.held) END AS frees,
        CASE
          WHEN i.year IS NULL THEN 'not_found'
          WHEN (i.earlier).final IS NOT NULL THEN CASE
            WHEN (i.earlier).credits <> i.credits OR i.credits IS NULL AND NOT (i.earlier).whole
              THEN 'conflicting_credits'
            WHEN (i.earlier).final <> i.closes THEN 'conflicting_final'
            WHEN (i.earlier).allow_overrun <> coalesce(i.allow_overrun, false)
              THEN 'conflicting_allow_overrun'
            ELSE 'replayed' END
          WHEN i.spends IS NULL THEN
            CASE WHEN i.state IN ('held', 'dispatched') THEN 'moved' ELSE 'not_open' END
          WHEN i.state NOT IN ('held', 'dispatched', 'unresolved')
            AND NOT (i.state = 'expired' AND i.spends > 0) THEN 'not_open'
          WHEN i.spends > i.remaining AND NOT coalesce(i.allow_overrun, false) THEN 'exceeds_held'
          -- A refund gives credits back to the budget, but not to the reservation.
          WHEN i.spends > 2147483647 - i.committed THEN 'exceeds_maximum'
          ELSE 'settled'
        END AS rule
      FROM request AS i
      OFFSET 0
    ), draw AS (
      -- Credits that are spent and were not held must be available. Credits that are freed and not
      -- spent become available to later requests.
      SELECT i.*, a.annual, a.monthly, a.entries, a.generation, a.regeneration, a.refund,
        a.held AS account_held, a.month_used[i.month] AS month_used,
        a.month_held[i.month] AS month_held,
        a.annual - (a.generation + a.regeneration - a.refund) - a.held AS available,
        coalesce(
          mockupd.drawn(
            a.annual - (a.generation + a.regeneration - a.refund) - a.held,
            i.spends - i.frees, false)
            FILTER (WHERE i.rule = 'settled' AND i.spends <> i.frees)
            OVER (PARTITION BY i.user_id ORDER BY i.ordinal
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
          0) AS drawn
      FROM ruling AS i
      LEFT JOIN account AS a ON a.user_id = i.user_id AND a.year = i.year
    ), decision AS (
      SELECT i.*,
        CASE WHEN i.rule = 'settled' AND i.spends > i.frees
            AND mockupd.draw(i.drawn, i.available, i.spends - i.frees, false) = i.drawn
          THEN 'insufficient' ELSE i.rule END AS outcome
      FROM draw AS i
      OFFSET 0
    ), effect AS (
      SELECT i.*,
        CASE WHEN s.settles THEN i.spends ELSE 0 END AS charged,
        CASE WHEN s.settles THEN i.frees ELSE 0 END AS freed,
        CASE WHEN s.settles THEN i.frees - least(i.spends, i.held) ELSE 0 END AS released,
        CASE WHEN s.settles THEN greatest(i.spends - i.remaining, 0) ELSE 0 END AS exceeded,
        s.settles, s.settles AND i.closes AS ends,
        s.settles AND (i.late OR i.spends > 0 AND i.state IN ('expired', 'unresolved')) AS is_late,
        s.settles AND i.action = 'commit'
          AND (NOT i.closes OR coalesce(i.allow_overrun, false) OR i.has_commits) AS is_kept
      FROM decision AS i
      CROSS JOIN LATERAL (SELECT i.outcome = 'settled' AS settles) AS s
      OFFSET 0
    ), step AS MATERIALIZED (
      SELECT i.*, count(*) FILTER (WHERE i.charged > 0) OVER so_far AS entries_so_far,
        ROW(
          i.annual, i.monthly,
          i.generation
            + coalesce(sum(i.charged) FILTER (WHERE i.operation = 'generation') OVER so_far, 0),
          i.regeneration
            + coalesce(sum(i.charged) FILTER (WHERE i.operation = 'regeneration') OVER so_far, 0),
          i.refund,
          i.account_held - sum(i.freed) OVER so_far,
          i.month_used + sum(i.charged) OVER so_far,
          i.month_held - sum(i.freed) OVER so_far)::mockupd.usage AS usage
      FROM effect AS i
      WINDOW so_far AS (PARTITION BY i.user_id ORDER BY i.ordinal)
    ), changed AS (
      UPDATE mockupd.reservations AS r
      SET state = CASE
          WHEN i.action = 'dispatch' THEN 'dispatched'
          WHEN NOT i.ends THEN r.state
          WHEN r.committed + i.charged > 0 THEN 'committed'
          ELSE 'released' END,
        held = r.held - i.freed,
        committed = r.committed + i.charged,
        overrun = r.overrun + i.exceeded,
        late = r.late OR i.is_late,
        has_commits = r.has_commits OR i.is_kept,
        commit_id = CASE WHEN i.ends AND i.action = 'commit' THEN i.commit_id END,
        entry_id = CASE WHEN i.ends AND i.charged > 0 THEN i.entry_id END,
        expires_at = greatest(
          r.expires_at,
          CASE WHEN NOT i.settles THEN v_now + make_interval(secs => i.time_to_live) END),
        dispatched_at = coalesce(r.dispatched_at, CASE i.action WHEN 'dispatch' THEN v_now END),
        settled_at = CASE WHEN i.ends THEN v_now ELSE r.settled_at END,
        settled_usage = CASE WHEN i.ends THEN i.usage END
      FROM step AS i
      WHERE i.outcome IN ('settled', 'moved') AND r.user_id = i.user_id AND r.id = i.id
      RETURNING i.ordinal, i.action = 'dispatch' AND i.state = 'dispatched' AS replayed,
        r AS reservation, i.usage, i.charged, i.exceeded, i.released, i.is_late, i.is_kept,
        i.commit_id, i.entry_id, i.closes, i.allow_overrun, i.remaining
    ), kept AS (
      INSERT INTO mockupd.commits (
        user_id, reservation_id, id, final, allow_overrun, whole, credits, overrun, released, late,
        entry_id, created_at, state, held_after, committed_after, overrun_after, expires_at,
        dispatched_at, usage)
      SELECT
        (i.reservation).user_id, (i.reservation).id, i.commit_id, i.closes,
        coalesce(i.allow_overrun, false), i.charged = i.remaining, i.charged, i.exceeded,
        i.released, i.is_late, CASE WHEN i.charged > 0 THEN i.entry_id END, v_now,
        (i.reservation).state, (i.reservation).held, (i.reservation).committed,
        (i.reservation).overrun, (i.reservation).expires_at, (i.reservation).dispatched_at, i.usage
      FROM changed AS i
      WHERE i.is_kept
    ), entered AS (
      INSERT INTO public.mockup_credit_usage (
        id, user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
        created_at, sequence, reservation_id, late, overrun, annual_budget)
      SELECT
        i.entry_id, i.user_id,
        -- Null if the mockup was deleted. The lock prevents that until this row refers to it.
        CASE WHEN i.mockup_id IS NOT NULL THEN
          (SELECT m.id FROM public.mockups AS m WHERE m.id = i.mockup_id FOR KEY SHARE)
        END,
        i.charged, i.operation,
        -- mockupd.as_integer(), inlined
        least(greatest(balance.after + i.charged, -2147483648), 2147483647),
        least(greatest(balance.after, -2147483648), 2147483647),
        i.year, i.month, v_now, i.entries + i.entries_so_far, i.id, i.is_late, i.exceeded, i.annual
      FROM step AS i
      CROSS JOIN LATERAL (
        SELECT i.annual
          - ((i.usage).generation + (i.usage).regeneration - (i.usage).refund) AS after
      ) AS balance
      WHERE i.charged > 0
    ), counted AS (
      UPDATE mockupd.credit_counters AS c
      SET generation = c.generation + asked.generation,
        regeneration = c.regeneration + asked.charged - asked.generation,
        entries = c.entries + asked.entries,
        held = c.held - asked.freed,
        open = c.open - asked.open,
        unresolved = c.unresolved - asked.unresolved,
        month_used[asked.month] = c.month_used[asked.month] + asked.charged,
        month_held[asked.month] = c.month_held[asked.month] - asked.freed,
        -- See mockupd.alert_thresholds().
        year_level = width_bucket(100 * (c.generation + c.regeneration - c.refund + c.held
          + asked.charged - asked.freed)::float8 / asked.annual, mockupd.alert_thresholds()),
        month_levels[asked.month] = width_bucket(100 * (c.month_used[asked.month] + asked.charged
          + c.month_held[asked.month] - asked.freed)::float8 / asked.monthly,
          mockupd.alert_thresholds())
      FROM (
        SELECT i.user_id, i.year, i.month, sum(i.charged) AS charged, sum(i.freed) AS freed,
          greatest(min(i.annual), 1) AS annual, greatest(min(i.monthly), 1) AS monthly,
          coalesce(sum(i.charged) FILTER (WHERE i.operation = 'generation'), 0) AS generation,
          count(*) FILTER (WHERE i.charged > 0) AS entries,
          count(*) FILTER (WHERE i.ends AND i.state IN ('held', 'dispatched')) AS open,
          count(*) FILTER (WHERE i.ends AND i.state = 'unresolved') AS unresolved
        FROM step AS i
        WHERE i.settles
        GROUP BY i.user_id, i.year, i.month
      ) AS asked
      WHERE c.user_id = asked.user_id AND c.year = asked.year
    )
    SELECT i.ordinal, 'settled', i.replayed, i.reservation, i.usage, i.charged, i.exceeded,
      i.released, i.is_late
    FROM changed AS i
    UNION ALL
    SELECT i.ordinal, i.outcome, false, r.reservation,
      CASE WHEN i.year IS NOT NULL THEN i.usage END, 0, 0, 0, false
    FROM step AS i
    LEFT JOIN LATERAL (
      SELECT r AS reservation FROM mockupd.reservations AS r
      WHERE r.user_id = i.user_id AND r.id = i.id AND i.year IS NOT NULL
      LIMIT 1
    ) AS r ON true
    WHERE i.outcome NOT IN ('settled', 'moved', 'replayed')
    UNION ALL
    SELECT i.ordinal, 'settled', true, mockupd.after_commit(r.reservation, i.earlier),
      (i.earlier).usage, (i.earlier).credits, (i.earlier).overrun, (i.earlier).released,
      (i.earlier).late
    FROM step AS i
    CROSS JOIN LATERAL (
      SELECT r AS reservation FROM mockupd.reservations AS r
      WHERE r.user_id = i.user_id AND r.id = i.id
      LIMIT 1
    ) AS r
    WHERE i.outcome = 'replayed';
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION mockupd.settle
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.settle TO mockupd_service;
