-- Returns a user's usage at p_now (null: at the time of the database) in a year and month; no row
-- for an unknown user. Only reads: the credits of held reservations that are due count as
-- available, even if their expiry has not been recorded yet.
CREATE OR REPLACE FUNCTION mockupd.usage_at(
  p_now timestamptz, p_user_id uuid, p_year integer, p_month integer
) RETURNS SETOF mockupd.usage
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_user record;
  v_usage mockupd.usage;
  v_due record;
BEGIN
  p_now := coalesce(p_now, clock_timestamp());
  SELECT c.due_at, c.open,
    ROW(
      coalesce(b.annual, mockupd.default_annual_budget()),
      coalesce(b.monthly, mockupd.default_soft_limit()),
      coalesce(c.generation, 0), coalesce(c.regeneration, 0), coalesce(c.refund, 0),
      coalesce(c.held, 0), coalesce(c.month_used[p_month], 0),
      coalesce(c.month_held[p_month], 0))::mockupd.usage AS usage
  INTO v_user
  FROM auth.users AS u
  LEFT JOIN mockupd.credit_counters AS c ON c.user_id = u.id AND c.year = p_year
  LEFT JOIN LATERAL (
    SELECT b.annual, b.monthly FROM mockupd.user_budgets AS b WHERE b.user_id = u.id LIMIT 1
  ) AS b ON true
  WHERE u.id = p_user_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_usage := v_user.usage;

  IF v_user.due_at <= p_now THEN
    -- The function is STABLE, so this statement has the same snapshot as the previous one.
    SELECT
      coalesce(sum(r.held), 0) AS held,
      coalesce(sum(r.held) FILTER (WHERE r.month = p_month), 0) AS month_held
    INTO v_due
    FROM mockupd.open_reservations(p_user_id, p_year, v_user.open) AS r
    WHERE r.state = 'held' AND r.expires_at <= p_now;
    v_usage.held := v_usage.held - v_due.held;
    v_usage.monthly_held := v_usage.monthly_held - v_due.month_held;
  END IF;
  RETURN NEXT v_usage;
END
$$;

REVOKE ALL ON FUNCTION mockupd.usage_at
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.usage_at TO mockupd_service;
