-- The annual budget and the monthly soft limit of every user with settings, as mockupd.guardrail()
-- reads them. The view is on the hot path. So it reads a plain number without a function call and
-- without the pattern, which would cost more than the rest of a reservation's decision.
--
-- A user without settings has no row here, and the defaults. On Supabase, a user may have several
-- rows, of which any counts.
CREATE OR REPLACE VIEW mockupd.user_budgets WITH (security_invoker = true) AS
SELECT s.user_id,
  CASE
    WHEN annual IS NULL THEN mockupd.default_annual_budget()
    WHEN jsonb_typeof(annual) = 'number'
      THEN least(greatest(trunc(annual::numeric), 0), 2147483647)::integer
    ELSE mockupd.guardrail(
      s.guardrails, 'annual_mockup_budget', mockupd.default_annual_budget())
  END AS annual,
  CASE
    WHEN monthly IS NULL THEN mockupd.default_soft_limit()
    WHEN jsonb_typeof(monthly) = 'number'
      THEN least(greatest(trunc(monthly::numeric), 0), 2147483647)::integer
    ELSE mockupd.guardrail(
      s.guardrails, 'monthly_mockup_soft_limit', mockupd.default_soft_limit())
  END AS monthly
FROM (
  SELECT s.user_id, s.guardrails, s.guardrails -> 'annual_mockup_budget' AS annual,
    s.guardrails -> 'monthly_mockup_soft_limit' AS monthly
  FROM public.user_settings AS s
) AS s;

REVOKE ALL ON mockupd.user_budgets
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
