-- For those who look after the books: every user's credits at once, budgets and who changed them, the
-- reservations that nobody has settled, and whether the books are right.

-- What waits to be resolved is looked for over all users.
CREATE INDEX credit_counters_unresolved ON mockupd.credit_counters (user_id) WHERE unresolved > 0;

-- Usage of all users -------------------------------------------------------------------------------

-- Every user's credits at p_now in a year and month, as mockupd.usage_at says them for one: in one
-- pass over users, counters and settings, and over the few reservations that are due. Reads only.
--
-- A null p_user_id asks for all users, a null p_available_at_most for all that is available.
CREATE FUNCTION mockupd.usage_report(
  p_now timestamptz,
  p_year integer,
  p_month integer,
  p_user_id uuid,
  p_active_only boolean,
  p_soft_limit_passed_only boolean,
  p_available_at_most bigint
) RETURNS TABLE (
  user_id uuid,
  annual_budget integer,
  monthly_soft_limit integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  held bigint,
  monthly_used bigint,
  monthly_held bigint,
  -- What waits to be resolved, of any year.
  unresolved integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- One user and all users want different plans.
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH due AS (
    SELECT r.user_id,
      sum(r.held) FILTER (WHERE r.state = 'held' AND r.year = p_year) AS held,
      sum(r.held) FILTER (WHERE r.state = 'held' AND r.year = p_year AND r.month = p_month)
        AS monthly_held,
      -- Nobody knows whether the vendor was called.
      count(*) FILTER (WHERE r.state = 'dispatched') AS unresolved
    FROM mockupd.credit_counters AS c
    CROSS JOIN LATERAL mockupd.open_reservations(c.user_id, c.year, c.open) AS r
    WHERE c.due_at <= p_now AND c.open > 0 AND r.expires_at <= p_now
      AND (p_user_id IS NULL OR c.user_id = p_user_id)
    GROUP BY r.user_id
  ), unresolved AS (
    SELECT c.user_id, sum(c.unresolved) AS reservations
    FROM mockupd.credit_counters AS c
    WHERE c.unresolved > 0 AND (p_user_id IS NULL OR c.user_id = p_user_id)
    GROUP BY c.user_id
  ), settings AS (
    SELECT DISTINCT ON (s.user_id) s.user_id, s.guardrails
    FROM public.user_settings AS s
    WHERE p_user_id IS NULL OR s.user_id = p_user_id
    ORDER BY s.user_id
  ), report AS (
    SELECT
      u.id AS user_id,
      mockupd.guardrail(s.guardrails, 'annual_mockup_budget', 3500) AS annual_budget,
      mockupd.guardrail(s.guardrails, 'monthly_mockup_soft_limit', 292) AS monthly_soft_limit,
      coalesce(c.generation, 0) AS generation,
      coalesce(c.regeneration, 0) AS regeneration,
      coalesce(c.refund, 0) AS refund,
      coalesce(c.held, 0) - coalesce(due.held, 0) AS held,
      coalesce(c.month_used[p_month], 0) AS monthly_used,
      coalesce(c.month_held[p_month], 0) - coalesce(due.monthly_held, 0) AS monthly_held,
      (coalesce(due.unresolved, 0) + coalesce(unresolved.reservations, 0))::integer AS unresolved
    FROM auth.users AS u
    LEFT JOIN mockupd.credit_counters AS c ON c.user_id = u.id AND c.year = p_year
    LEFT JOIN settings AS s ON s.user_id = u.id
    LEFT JOIN due ON due.user_id = u.id
    LEFT JOIN unresolved ON unresolved.user_id = u.id
    WHERE p_user_id IS NULL OR u.id = p_user_id
  )
  SELECT
    r.user_id, r.annual_budget, r.monthly_soft_limit, r.generation, r.regeneration, r.refund,
    r.held, r.monthly_used, r.monthly_held, r.unresolved
  FROM report AS r
  WHERE (NOT p_active_only OR r.generation > 0 OR r.regeneration > 0 OR r.refund > 0 OR r.held > 0)
    AND (NOT p_soft_limit_passed_only OR r.monthly_used + r.monthly_held > r.monthly_soft_limit)
    AND (p_available_at_most IS NULL OR p_available_at_most >=
      r.annual_budget - (r.generation + r.regeneration - r.refund) - r.held);
END
$$;

-- Budgets ------------------------------------------------------------------------------------------

-- Who set which budget to what, and what stood there before.
CREATE TABLE mockupd.budget_changes (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  changed_at timestamptz NOT NULL,
  -- By the kernel's word on who called: the user's and the process's number.
  changed_by text NOT NULL,
  annual_budget integer NOT NULL,
  monthly_soft_limit integer NOT NULL,
  previous_annual_budget integer NOT NULL,
  previous_monthly_soft_limit integer NOT NULL,
  -- All of it, as it was found: it may have been no object, and then the change has replaced it.
  previous_guardrails jsonb,
  PRIMARY KEY (user_id, id)
);

-- Sets what is not null of a user's budget and soft limit; other guardrails stay. No row for an
-- unknown user. What is set already is not set again, and leaves no record.
CREATE FUNCTION mockupd.set_budget(
  p_now timestamptz,
  p_user_id uuid,
  p_annual_budget integer,
  p_monthly_soft_limit integer,
  p_changed_by text
) RETURNS TABLE (
  previous_annual_budget integer,
  previous_monthly_soft_limit integer,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_previous jsonb;
  v_guardrails jsonb;
BEGIN
  INSERT INTO mockupd.credit_counters (user_id, year)
  SELECT u.id, v_year FROM auth.users AS u WHERE u.id = p_user_id
  ON CONFLICT DO NOTHING;
  -- In line with those who spend: each of them sees the budget before, and is in the usage that is
  -- returned here, or the one after. All years, since a late commit asks for an old one's.
  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = p_user_id
  ORDER BY c.year
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  INSERT INTO public.user_settings (user_id, guardrails)
  SELECT p_user_id, '{}'
  WHERE NOT EXISTS (SELECT FROM public.user_settings AS s WHERE s.user_id = p_user_id)
  ON CONFLICT DO NOTHING;
  SELECT s.guardrails INTO v_previous FROM public.user_settings AS s
  WHERE s.user_id = p_user_id
  FOR NO KEY UPDATE;

  v_guardrails := CASE WHEN jsonb_typeof(v_previous) = 'object' THEN v_previous ELSE '{}' END
    || jsonb_strip_nulls(jsonb_build_object(
      'annual_mockup_budget', p_annual_budget, 'monthly_mockup_soft_limit', p_monthly_soft_limit));
  previous_annual_budget := mockupd.guardrail(v_previous, 'annual_mockup_budget', 3500);
  previous_monthly_soft_limit := mockupd.guardrail(v_previous, 'monthly_mockup_soft_limit', 292);

  IF v_guardrails IS DISTINCT FROM v_previous THEN
    UPDATE public.user_settings AS s SET guardrails = v_guardrails WHERE s.user_id = p_user_id;
    INSERT INTO mockupd.budget_changes (
      user_id, changed_at, changed_by, annual_budget, monthly_soft_limit,
      previous_annual_budget, previous_monthly_soft_limit, previous_guardrails)
    VALUES (
      p_user_id, p_now, p_changed_by,
      mockupd.guardrail(v_guardrails, 'annual_mockup_budget', 3500),
      mockupd.guardrail(v_guardrails, 'monthly_mockup_soft_limit', 292),
      previous_annual_budget, previous_monthly_soft_limit, v_previous);
  END IF;

  SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, v_year, v_month) AS u;
  RETURN NEXT;
END
$$;

-- Reservations that nobody settled -----------------------------------------------------------------

-- Decides what an unresolved reservation was charged, as a commit under p_resolution_id that is the
-- last; 0 gives all of it back. Outcomes are mockupd.settle's: not_open where it is not unresolved,
-- unless it was resolved so before. An id that differs from the reservation's own names one resolution;
-- under the reservation's own id, which every commit takes by default, only the same charge is one.
CREATE FUNCTION mockupd.resolve_reservation(
  p_now timestamptz,
  p_user_id uuid,
  p_id uuid,
  p_resolution_id uuid,
  p_credits integer,
  p_allow_overrun boolean,
  p_entry_id uuid
) RETURNS TABLE (
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
AS $$
#variable_conflict use_column
DECLARE
  v_year integer;
BEGIN
  -- The lock comes first: what is seen below is then what settle() sees. A reservation that is made
  -- from here on stays unknown, since its counters are not locked.
  SELECT r.year INTO v_year FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = p_id;
  IF v_year IS NULL THEN
    outcome := 'not_found';
    replayed := false;
    charged := 0;
    overrun := 0;
    released := 0;
    late := false;
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = p_user_id AND c.year = v_year
  FOR NO KEY UPDATE;

  SELECT (mockupd.as_of(r, p_now)).* INTO reservation
  FROM mockupd.reservations AS r WHERE r.user_id = p_user_id AND r.id = p_id;

  IF reservation.state <> 'unresolved'
    AND NOT (
      p_resolution_id = p_id
      AND reservation.commit_id IS NOT DISTINCT FROM p_id AND reservation.committed = p_credits
      AND (reservation.late OR p_credits = 0))
    AND NOT (
      p_resolution_id <> p_id
      AND (reservation.commit_id IS NOT DISTINCT FROM p_resolution_id OR EXISTS (
        SELECT FROM mockupd.commits AS sent
        WHERE sent.user_id = p_user_id AND sent.reservation_id = p_id
          AND sent.id = p_resolution_id)))
  THEN
    outcome := 'not_open';
    replayed := false;
    SELECT u.* INTO usage
    FROM mockupd.usage_at(p_now, p_user_id, reservation.year, reservation.month) AS u;
    charged := 0;
    overrun := 0;
    released := 0;
    late := false;
    RETURN NEXT;
    RETURN;
  END IF;

  RETURN QUERY
  SELECT s.outcome, s.replayed, s.reservation, s.usage, s.charged, s.overrun, s.released, s.late
  FROM mockupd.settle(
    p_now, ARRAY[p_user_id], ARRAY[p_id], ARRAY['commit'], ARRAY[p_resolution_id],
    ARRAY[p_credits], ARRAY[true], ARRAY[p_allow_overrun], ARRAY[NULL::integer],
    ARRAY[p_entry_id]) AS s;
END
$$;

-- The books ----------------------------------------------------------------------------------------

-- What mockupd.verify_counters says of the next p_limit users after p_after, in the order of their
-- ids: a row for each discrepancy, and one without for a user whose books are right.
CREATE FUNCTION mockupd.verify_users(p_after uuid, p_limit integer)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT next.id, found.year, found.discrepancy
  FROM (
    SELECT u.id FROM auth.users AS u
    WHERE p_after IS NULL OR u.id > p_after
    ORDER BY u.id
    LIMIT p_limit
  ) AS next
  LEFT JOIN LATERAL mockupd.verify_counters(next.id) AS found ON true
  ORDER BY next.id, found.year, found.discrepancy;
END
$$;

-- The work that waits, over all users: reservations for an administrator, and mockups that a claim would lease.
CREATE FUNCTION mockupd.waiting(p_now timestamptz)
RETURNS TABLE (unresolved_reservations bigint, pending_mockups bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT
    (SELECT coalesce(sum(c.unresolved), 0)::bigint
      FROM mockupd.credit_counters AS c WHERE c.unresolved > 0)
      + (SELECT count(*)
        FROM mockupd.credit_counters AS c
        CROSS JOIN LATERAL mockupd.open_reservations(c.user_id, c.year, c.open) AS r
        WHERE c.due_at <= p_now AND c.open > 0 AND r.state = 'dispatched' AND r.expires_at <= p_now),
    (SELECT count(*)
      FROM mockupd.mockup_jobs AS j
      JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
      JOIN mockupd.reservations AS r ON r.user_id = j.user_id AND r.id = j.reservation_id
      WHERE j.state = 'queued' AND m.status = 'pending'
        AND r.state IN ('held', 'dispatched') AND r.expires_at > p_now)
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.usage_report(timestamptz, integer, integer, uuid, boolean, boolean, bigint),
  mockupd.set_budget(timestamptz, uuid, integer, integer, text),
  mockupd.resolve_reservation(timestamptz, uuid, uuid, uuid, integer, boolean, uuid),
  mockupd.verify_users(uuid, integer),
  mockupd.waiting(timestamptz)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.usage_report(timestamptz, integer, integer, uuid, boolean, boolean, bigint),
  mockupd.set_budget(timestamptz, uuid, integer, integer, text),
  mockupd.resolve_reservation(timestamptz, uuid, uuid, uuid, integer, boolean, uuid),
  mockupd.verify_users(uuid, integer),
  mockupd.waiting(timestamptz)
TO mockupd_service;
