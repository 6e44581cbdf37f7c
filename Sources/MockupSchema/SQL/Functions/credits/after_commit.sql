-- Returns a reservation as one of its commits left it, regardless of later changes.
CREATE OR REPLACE FUNCTION mockupd.after_commit(
  p_reservation mockupd.reservations, p_commit mockupd.commits
) RETURNS mockupd.reservations
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  p_reservation.state := p_commit.state;
  p_reservation.held := p_commit.held_after;
  p_reservation.committed := p_commit.committed_after;
  p_reservation.overrun := p_commit.overrun_after;
  p_reservation.expires_at := p_commit.expires_at;
  p_reservation.dispatched_at := p_commit.dispatched_at;
  IF NOT p_commit.final THEN
    p_reservation.late := p_commit.late;
    p_reservation.commit_id := NULL;
    p_reservation.entry_id := NULL;
    p_reservation.settled_at := CASE p_commit.state WHEN 'expired' THEN p_commit.expires_at END;
  END IF;
  RETURN p_reservation;
END
$$;

REVOKE ALL ON FUNCTION mockupd.after_commit
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
