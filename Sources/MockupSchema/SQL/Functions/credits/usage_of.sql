-- Returns the usage that an answer reports: the counters, with the user's annual budget (a hard
-- limit) and monthly soft limit.
CREATE OR REPLACE FUNCTION mockupd.usage_of(
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

REVOKE ALL ON FUNCTION mockupd.usage_of
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
