-- Returns what mockupd.resolve_reservation would return, and changes nothing.
CREATE OR REPLACE FUNCTION mockupd.try_resolve_reservation(
  p_now timestamptz,
  p_user_id uuid,
  p_id uuid,
  p_resolution_id uuid,
  p_credits integer,
  p_allow_overrun boolean,
  p_entry_id uuid
) RETURNS TABLE (
  outcome text,
  replayed boolean,
  reservation mockupd.reservations,
  usage mockupd.usage,
  charged integer,
  overrun integer,
  released integer,
  late boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_result record;
BEGIN
  BEGIN
    SELECT r.* INTO v_result
    FROM mockupd.resolve_reservation(
      p_now, p_user_id, p_id, p_resolution_id, p_credits, p_allow_overrun, p_entry_id) AS r;
    RAISE triggered_action_exception;
  EXCEPTION
    -- Undoes the changes of this block. The variables keep their values.
    WHEN triggered_action_exception THEN NULL;
  END;
  RETURN QUERY
  SELECT v_result.outcome, v_result.replayed, v_result.reservation, v_result.usage,
    v_result.charged, v_result.overrun, v_result.released, v_result.late;
END
$$;

REVOKE ALL ON FUNCTION mockupd.try_resolve_reservation
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.try_resolve_reservation TO mockupd_service;
