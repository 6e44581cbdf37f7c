-- Returns the usage of all users at p_now in a year and month, computed as in mockupd.usage_at, and
-- their unresolved reservations. Reads users, settings and the counters of the year once, and by
-- index the counters that are due or have unresolved reservations. Writes nothing.
--
-- If p_user_id is null, all users are returned. p_active_only: only users with used or held credits
-- in the year. p_soft_limit_passed_only: only users above the soft limit of the month. If
-- p_available_at_most is null, the result includes users with any number of available credits.
CREATE OR REPLACE FUNCTION mockupd.usage_report(
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
  -- Unresolved reservations of all years, and dispatched ones that have expired.
  unresolved integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- One user and all users need different plans.
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
      -- Expired, but not yet recorded as unresolved.
      count(*) FILTER (WHERE r.state = 'dispatched') AS unresolved
    FROM mockupd.credit_counters AS c
    CROSS JOIN LATERAL mockupd.open_reservations(c.user_id, c.year, c.open) AS r
    WHERE c.due_at <= p_now AND c.open > 0 AND r.expires_at <= p_now
      AND (p_user_id IS NULL OR c.user_id = p_user_id)
    GROUP BY r.user_id
  ), recorded AS (
    SELECT c.user_id, sum(c.unresolved) AS unresolved
    FROM mockupd.credit_counters AS c
    WHERE c.unresolved > 0 AND (p_user_id IS NULL OR c.user_id = p_user_id)
    GROUP BY c.user_id
  ), budgets AS (
    -- On Supabase, a user may have several rows of settings.
    SELECT DISTINCT ON (b.user_id) b.* FROM mockupd.user_budgets AS b
    WHERE p_user_id IS NULL OR b.user_id = p_user_id
    ORDER BY b.user_id
  ), report AS (
    SELECT
      u.id AS user_id,
      coalesce(b.annual, mockupd.default_annual_budget()) AS annual_budget,
      coalesce(b.monthly, mockupd.default_soft_limit()) AS monthly_soft_limit,
      coalesce(c.generation, 0) AS generation,
      coalesce(c.regeneration, 0) AS regeneration,
      coalesce(c.refund, 0) AS refund,
      coalesce(c.held, 0) - coalesce(due.held, 0) AS held,
      coalesce(c.month_used[p_month], 0) AS monthly_used,
      coalesce(c.month_held[p_month], 0) - coalesce(due.monthly_held, 0) AS monthly_held,
      (coalesce(due.unresolved, 0) + coalesce(recorded.unresolved, 0))::integer AS unresolved
    FROM auth.users AS u
    LEFT JOIN mockupd.credit_counters AS c ON c.user_id = u.id AND c.year = p_year
    LEFT JOIN budgets AS b ON b.user_id = u.id
    LEFT JOIN due ON due.user_id = u.id
    LEFT JOIN recorded ON recorded.user_id = u.id
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

REVOKE ALL ON FUNCTION mockupd.usage_report
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
