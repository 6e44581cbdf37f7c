-- Returns the first answer to a retried commit or release of a reservation as a row of
-- mockupd.commits; null if p_action is not a retry. A commit is identified by p_commit_id.
--
-- Two kinds of answers are stored in the reservation's own row instead of mockupd.commits: that to
-- a release, and that to the only commit of a reservation if it is final and allows no overrun.
CREATE OR REPLACE FUNCTION mockupd.earlier_settlement(
  p_reservation mockupd.reservations, p_action text, p_commit_id uuid
) RETURNS mockupd.commits
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_commit mockupd.commits;
BEGIN
  IF p_action = 'commit' AND p_reservation.has_commits THEN
    SELECT c.* INTO v_commit FROM mockupd.commits AS c
    WHERE c.user_id = p_reservation.user_id AND c.reservation_id = p_reservation.id
      AND c.id = p_commit_id;
  ELSIF p_action = 'commit' AND p_reservation.commit_id = p_commit_id
    OR p_action = 'release' AND (
      p_reservation.state = 'released'
      OR p_reservation.state = 'committed' AND p_reservation.commit_id IS NULL)
  THEN
    v_commit.credits := CASE p_action WHEN 'commit' THEN p_reservation.committed ELSE 0 END;
    v_commit.overrun := 0;
    v_commit.final := true;
    v_commit.allow_overrun := false;
    v_commit.released :=
      p_reservation.granted - (p_reservation.committed - p_reservation.overrun);
    v_commit.whole := v_commit.released = 0 OR p_action = 'release';
    v_commit.late := p_reservation.late;
    -- A reservation that expired while it was held had no credits left to release.
    IF p_action = 'commit' AND p_reservation.late AND p_reservation.dispatched_at IS NULL THEN
      v_commit.released := 0;
    END IF;
    v_commit.state := p_reservation.state;
    v_commit.held_after := p_reservation.held;
    v_commit.committed_after := p_reservation.committed;
    v_commit.overrun_after := p_reservation.overrun;
    v_commit.expires_at := p_reservation.expires_at;
    v_commit.dispatched_at := p_reservation.dispatched_at;
    v_commit.usage := p_reservation.settled_usage;
  END IF;
  RETURN v_commit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.earlier_settlement
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
