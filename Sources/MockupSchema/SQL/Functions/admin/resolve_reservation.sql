-- Settles an unresolved reservation by a final commit of p_credits under p_resolution_id. 0 credits
-- release it. The outcomes are those of mockupd.settle. In addition, the outcome is not_open if the
-- reservation is in any other state, unless the same resolution was made before.
--
-- A resolution id other than the reservation's own id identifies a resolution. The reservation's
-- own id is the default id of every commit, so under this id only a commit that a resolution could
-- have made is a replay: of a dispatched reservation, with the same arguments.
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
  v_earlier mockupd.commits;
BEGIN
  -- Locks first, so that settle() decides on the same state as this function.
  reservation := mockupd.lock_reservation(p_now, p_user_id, p_id);
  v_earlier := mockupd.earlier_settlement(reservation, 'commit', p_resolution_id);
  outcome := CASE
    WHEN reservation.id IS NULL THEN 'not_found'
    WHEN reservation.state <> 'unresolved' AND NOT (
      v_earlier.final IS NOT NULL AND (
        p_resolution_id <> p_id
        OR reservation.dispatched_at IS NOT NULL AND v_earlier.final
          AND v_earlier.credits = p_credits AND v_earlier.allow_overrun = p_allow_overrun
          AND (v_earlier.late OR p_credits = 0)))
      THEN 'not_open'
  END;
  IF outcome IS NOT NULL THEN
    replayed := false;
    charged := 0;
    overrun := 0;
    released := 0;
    late := false;
    IF outcome = 'not_open' THEN
      SELECT u.* INTO usage
      FROM mockupd.usage_at(p_now, p_user_id, reservation.year, reservation.month) AS u;
    END IF;
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
