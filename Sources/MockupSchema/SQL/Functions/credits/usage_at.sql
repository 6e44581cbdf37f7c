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
    -- The function is STABLE, so this statement has the same snapshot as the previous one.
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

REVOKE ALL ON FUNCTION mockupd.usage_at
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.usage_at TO mockupd_service;
