-- Returns a user's usage in a year and month, for the user or a service. The signature is that of
-- the initial schema.
CREATE OR REPLACE FUNCTION public.get_credit_usage(
  p_user_id uuid,
  p_year integer DEFAULT extract(year FROM now() AT TIME ZONE 'UTC'),
  p_month integer DEFAULT NULL
)
RETURNS TABLE (
  total_used integer,
  monthly_used integer,
  annual_budget integer,
  monthly_soft_limit integer,
  remaining_annual integer,
  remaining_monthly integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_year integer := coalesce(p_year, extract(year FROM v_now AT TIME ZONE 'UTC')::integer);
  v_month integer := coalesce(p_month, extract(month FROM v_now AT TIME ZONE 'UTC')::integer);
BEGIN
  PERFORM mockupd.require_self_or_service(p_user_id);

  RETURN QUERY
  SELECT
    mockupd.as_integer(u.generation + u.regeneration - u.refund),
    mockupd.as_integer(u.monthly_used),
    u.annual_budget,
    u.monthly_soft_limit,
    mockupd.as_integer(greatest(mockupd.available(u), 0)),
    mockupd.as_integer(
      greatest(u.monthly_soft_limit - u.monthly_used - u.monthly_held, 0))
  FROM mockupd.usage_at(v_now, p_user_id, v_year, v_month) AS u;
END
$$;

REVOKE ALL ON FUNCTION public.get_credit_usage(uuid, integer, integer)
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION public.get_credit_usage(uuid, integer, integer)
  TO authenticated, service_role, mockupd_service;
