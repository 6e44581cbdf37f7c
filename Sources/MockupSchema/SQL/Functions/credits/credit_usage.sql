-- Returns a user's usage at p_now (null: at the time of the database) as mockupd.usage_at does. The
-- year and the month are the current ones if they are null. No row for an unknown user.
CREATE OR REPLACE FUNCTION mockupd.credit_usage(
  p_now timestamptz, p_user_id uuid, p_year integer, p_month integer
) RETURNS TABLE (year integer, month integer, usage mockupd.usage)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
AS $$
BEGIN
  p_now := coalesce(p_now, now());
  year := coalesce(p_year, extract(year FROM p_now AT TIME ZONE 'UTC')::integer);
  month := coalesce(p_month, extract(month FROM p_now AT TIME ZONE 'UTC')::integer);
  SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, year, month) AS u;
  IF FOUND THEN
    RETURN NEXT;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.credit_usage
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.credit_usage TO mockupd_service;
