-- Decides what an unresolved reservation was charged, as a final commit under p_resolution_id; 0 releases
-- all of it. The outcomes are those of mockupd.settle, and not_open unless the reservation is unresolved or
-- was resolved this way before.
--
-- An id that differs from the reservation's own names one resolution. Under the reservation's own id, which
-- every commit has by default, only the same charge is a replay.
CREATE OR REPLACE FUNCTION mockupd.resolve_reservation(
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
  v_year integer;
BEGIN
  -- The lock comes first, so that settle() sees the same rows as the checks below. A reservation that is
  -- made from here on stays unknown, since its counters are not locked.
  SELECT r.year INTO v_year FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = p_id;
  IF v_year IS NULL THEN
    outcome := 'not_found';
    replayed := false;
    charged := 0;
    overrun := 0;
    released := 0;
    late := false;
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = p_user_id AND c.year = v_year
  FOR NO KEY UPDATE;

  SELECT (mockupd.as_of(r, p_now)).* INTO reservation
  FROM mockupd.reservations AS r WHERE r.user_id = p_user_id AND r.id = p_id;

  IF reservation.state <> 'unresolved'
    AND NOT (
      p_resolution_id = p_id
      AND reservation.commit_id IS NOT DISTINCT FROM p_id AND reservation.committed = p_credits
      AND (reservation.late OR p_credits = 0))
    AND NOT (
      p_resolution_id <> p_id
      AND (reservation.commit_id IS NOT DISTINCT FROM p_resolution_id OR EXISTS (
        SELECT FROM mockupd.commits AS sent
        WHERE sent.user_id = p_user_id AND sent.reservation_id = p_id
          AND sent.id = p_resolution_id)))
  THEN
    outcome := 'not_open';
    replayed := false;
    SELECT u.* INTO usage
    FROM mockupd.usage_at(p_now, p_user_id, reservation.year, reservation.month) AS u;
    charged := 0;
    overrun := 0;
    released := 0;
    late := false;
    RETURN NEXT;
    RETURN;
  END IF;

  RETURN QUERY
  SELECT s.outcome, s.replayed, s.reservation, s.usage, s.charged, s.overrun, s.released, s.late
  FROM mockupd.settle(
    p_now, ARRAY[p_user_id], ARRAY[p_id], ARRAY['commit'], ARRAY[p_resolution_id],
    ARRAY[p_credits], ARRAY[true], ARRAY[p_allow_overrun], ARRAY[NULL::integer],
    ARRAY[p_entry_id]) AS s;
END
$$;

REVOKE ALL ON FUNCTION mockupd.resolve_reservation
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.resolve_reservation TO mockupd_service;
