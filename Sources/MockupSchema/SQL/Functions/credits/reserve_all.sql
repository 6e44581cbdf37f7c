-- Makes a batch of reservations as mockupd.reserve does, or none of them: unless all are admitted,
-- the changes are undone, and the outcomes are those that led to it.
CREATE OR REPLACE FUNCTION mockupd.reserve_all(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_credits integer[],
  p_operations text[],
  p_times_to_live integer[],
  p_mockup_ids uuid[],
  p_group_ids uuid[],
  p_modes text[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  granted integer,
  reserved_at timestamptz,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_outcomes text[];
  v_replayed boolean[];
  v_granted integer[];
  v_reserved_at timestamptz[];
  v_usages mockupd.usage[];
BEGIN
  BEGIN
    SELECT array_agg(r.outcome ORDER BY r.ordinal), array_agg(r.replayed ORDER BY r.ordinal),
      array_agg(r.granted ORDER BY r.ordinal), array_agg(r.reserved_at ORDER BY r.ordinal),
      array_agg(r.usage ORDER BY r.ordinal)
    INTO v_outcomes, v_replayed, v_granted, v_reserved_at, v_usages
    FROM mockupd.reserve(
      p_now, p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids,
      p_group_ids, p_modes) AS r;
    IF 'admitted' <> ANY (v_outcomes) THEN
      RAISE triggered_action_exception;
    END IF;
  EXCEPTION
    -- Undoes the changes of this block. The variables keep their values.
    WHEN triggered_action_exception THEN NULL;
  END;

  RETURN QUERY
  SELECT i.ordinal, i.outcome, i.replayed, i.granted, i.reserved_at, v_usages[i.ordinal]
  FROM unnest(v_outcomes, v_replayed, v_granted, v_reserved_at) WITH ORDINALITY
    AS i (outcome, replayed, granted, reserved_at, ordinal);
END
$$;

REVOKE ALL ON FUNCTION mockupd.reserve_all
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.reserve_all TO mockupd_service;
