-- Settles a batch of reservations as mockupd.settle does, or none of them: unless all succeed, the
-- changes are undone, and the outcomes are those that led to it.
CREATE OR REPLACE FUNCTION mockupd.settle_all(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_actions text[],
  p_commit_ids uuid[],
  p_credits integer[],
  p_finals boolean[],
  p_allow_overruns boolean[],
  p_times_to_live integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
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
  v_outcomes text[];
  v_replayed boolean[];
  v_reservations mockupd.reservations[];
  v_usages mockupd.usage[];
  v_charged integer[];
  v_overruns integer[];
  v_released integer[];
  v_late boolean[];
BEGIN
  BEGIN
    SELECT array_agg(s.outcome ORDER BY s.ordinal), array_agg(s.replayed ORDER BY s.ordinal),
      array_agg(s.reservation ORDER BY s.ordinal), array_agg(s.usage ORDER BY s.ordinal),
      array_agg(s.charged ORDER BY s.ordinal), array_agg(s.overrun ORDER BY s.ordinal),
      array_agg(s.released ORDER BY s.ordinal), array_agg(s.late ORDER BY s.ordinal)
    INTO v_outcomes, v_replayed, v_reservations, v_usages, v_charged, v_overruns, v_released,
      v_late
    FROM mockupd.settle(
      p_now, p_user_ids, p_ids, p_actions, p_commit_ids, p_credits, p_finals,
      p_allow_overruns, p_times_to_live, p_entry_ids) AS s;
    IF 'settled' <> ANY (v_outcomes) THEN
      RAISE triggered_action_exception;
    END IF;
  EXCEPTION
    -- Undoes the changes of this block. The variables keep their values.
    WHEN triggered_action_exception THEN NULL;
  END;

  RETURN QUERY
  SELECT i.ordinal, i.outcome, i.replayed, v_reservations[i.ordinal], v_usages[i.ordinal],
    i.charged, i.overrun, i.released, i.late
  FROM unnest(v_outcomes, v_replayed, v_charged, v_overruns, v_released, v_late) WITH ORDINALITY
    AS i (outcome, replayed, charged, overrun, released, late, ordinal);
END
$$;

REVOKE ALL ON FUNCTION mockupd.settle_all
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.settle_all TO mockupd_service;
