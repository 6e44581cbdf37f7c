-- Returns what mockupd.set_budget would return, and changes nothing.
CREATE OR REPLACE FUNCTION mockupd.try_set_budget(
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
  v_result record;
BEGIN
  BEGIN
    SELECT s.* INTO v_result
    FROM mockupd.set_budget(
      p_now, p_user_id, p_annual_budget, p_monthly_soft_limit, p_changed_by) AS s;
    RAISE triggered_action_exception;
  EXCEPTION
    -- Undoes the changes of this block. The variables keep their values.
    WHEN triggered_action_exception THEN NULL;
  END;
  -- No row for an unknown user.
  RETURN QUERY
  SELECT v_result.previous_annual_budget, v_result.previous_monthly_soft_limit, v_result.year,
    v_result.month, v_result.usage
  WHERE v_result.year IS NOT NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.try_set_budget
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.try_set_budget TO mockupd_service;
