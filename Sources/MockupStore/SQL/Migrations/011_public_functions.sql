-- The two functions that SQL calls, with the names, arguments, columns and messages they were first
-- given, on top of the engine.

-- Whether the caller may ask about a user: the user, or a service. In a definer's function the role
-- that was set is the only trace of who calls; a login that has set none is its own role.
CREATE FUNCTION mockupd.require_self_or_service(p_user_id uuid)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_caller text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
BEGIN
  -- Usage, not membership: PostgREST's login is a member of every role, and inherits none.
  IF p_user_id = auth.uid()
    OR pg_has_role(v_caller, 'service_role', 'USAGE')
    OR pg_has_role(v_caller, 'mockupd_service', 'USAGE')
  THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'only the user or a service may ask about a user''s credits'
    USING ERRCODE = 'insufficient_privilege';
END
$$;

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

CREATE OR REPLACE FUNCTION public.reserve_mockup_credits(
  p_user_id uuid,
  p_credits integer
)
RETURNS TABLE (
  success boolean,
  remaining integer,
  message text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_answer record;
  v_remaining integer;
BEGIN
  PERFORM mockupd.require_self_or_service(p_user_id);

  IF p_credits IS NULL OR p_credits < 1 THEN
    SELECT mockupd.as_integer(mockupd.available(u)) INTO v_remaining
    FROM mockupd.usage_at(v_now, p_user_id,
      extract(year FROM v_now AT TIME ZONE 'UTC')::integer,
      extract(month FROM v_now AT TIME ZONE 'UTC')::integer) AS u;
    RETURN QUERY SELECT false, coalesce(v_remaining, 0), 'Credits must be at least 1.';
    RETURN;
  END IF;

  -- The id stays inside: who calls this function cannot settle what it set aside, and a quarter of
  -- an hour later it is free again.
  SELECT r.outcome, mockupd.as_integer(mockupd.available(r.usage)) AS remaining INTO v_answer
  FROM mockupd.reserve(
    v_now, ARRAY[p_user_id], ARRAY[gen_random_uuid()], ARRAY[p_credits], ARRAY['generation'],
    ARRAY[900], ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal']) AS r;

  RETURN QUERY SELECT
    v_answer.outcome = 'admitted',
    coalesce(v_answer.remaining, 0),
    CASE v_answer.outcome
      WHEN 'admitted' THEN 'Credits reserved successfully.'
      WHEN 'refused' THEN 'Insufficient credits. ' || v_answer.remaining || ' remaining.'
      ELSE 'Unknown user.'
    END;
END
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.require_self_or_service(uuid),
  public.get_credit_usage(uuid, integer, integer), public.reserve_mockup_credits(uuid, integer)
FROM PUBLIC, anon;
GRANT EXECUTE ON FUNCTION
  public.get_credit_usage(uuid, integer, integer), public.reserve_mockup_credits(uuid, integer)
TO authenticated, service_role, mockupd_service;
