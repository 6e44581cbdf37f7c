-- Sets a user's annual budget and monthly soft limit; null leaves the value unchanged. Other
-- guardrails are unchanged. Returns the usage in the current year and month, and no row for an
-- unknown user.
--
-- If the user has these values already, nothing changes and no record is made, also if the values
-- are the defaults, or are stored as text.
CREATE OR REPLACE FUNCTION mockupd.set_budget(
  p_now timestamptz,
  p_user_id uuid,
  p_annual_budget integer,
  p_monthly_soft_limit integer,
  p_changed_by text
) RETURNS TABLE (
  previous_annual_budget integer,
  previous_monthly_soft_limit integer,
  year integer,
  month integer,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_years integer[];
  v_previous jsonb;
BEGIN
  -- The lock orders the change with the user's reservations: a reservation either uses the old
  -- budget and is part of the usage returned here, or uses the new budget. All years are locked,
  -- since the budget also applies to late commits in earlier years.
  SELECT l.p_now, l.years INTO p_now, v_years FROM mockupd.lock_user(p_now, p_user_id) AS l;
  IF v_years = '{}' THEN
    RETURN;
  END IF;

  SELECT s.guardrails INTO v_previous FROM public.user_settings AS s
  WHERE s.user_id = p_user_id
  FOR NO KEY UPDATE;
  year := extract(year FROM p_now AT TIME ZONE 'UTC');
  month := extract(month FROM p_now AT TIME ZONE 'UTC');
  SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, year, month) AS u;
  previous_annual_budget := usage.annual_budget;
  previous_monthly_soft_limit := usage.monthly_soft_limit;

  IF p_annual_budget <> usage.annual_budget OR p_monthly_soft_limit <> usage.monthly_soft_limit THEN
    INSERT INTO public.user_settings (user_id, guardrails)
    SELECT p_user_id, '{}'
    WHERE NOT EXISTS (SELECT FROM public.user_settings AS s WHERE s.user_id = p_user_id)
    ON CONFLICT DO NOTHING;
    UPDATE public.user_settings AS s
    SET guardrails =
      CASE WHEN jsonb_typeof(s.guardrails) = 'object' THEN s.guardrails ELSE '{}' END
        || jsonb_strip_nulls(jsonb_build_object(
          'annual_mockup_budget', p_annual_budget,
          'monthly_mockup_soft_limit', p_monthly_soft_limit))
    WHERE s.user_id = p_user_id;
    SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, year, month) AS u;

    INSERT INTO mockupd.budget_changes (
      user_id, changed_at, changed_by, annual_budget, monthly_soft_limit,
      previous_annual_budget, previous_monthly_soft_limit, previous_guardrails)
    VALUES (
      p_user_id, p_now, p_changed_by, usage.annual_budget, usage.monthly_soft_limit,
      previous_annual_budget, previous_monthly_soft_limit, v_previous);

    -- See mockupd.alert_thresholds(). Earlier years and months get no alerts.
    UPDATE mockupd.credit_counters AS c
    SET year_level = width_bucket(
        100 * (usage.generation + usage.regeneration - usage.refund + usage.held)::float8
          / greatest(usage.annual_budget, 1), mockupd.alert_thresholds()),
      month_levels[set_budget.month] = width_bucket(
        100 * (usage.monthly_used + usage.monthly_held)::float8
          / greatest(usage.monthly_soft_limit, 1), mockupd.alert_thresholds())
    WHERE c.user_id = p_user_id AND c.year = set_budget.year;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.set_budget
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.set_budget TO mockupd_service;
