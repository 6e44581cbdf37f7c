-- Returns a reservation in its state at p_now, even if its expiry has not been recorded yet.
--
-- When a held reservation expires, its credits become available, since the vendor was never called.
-- A dispatched one becomes unresolved and keeps its credits, since the vendor may have charged.
CREATE OR REPLACE FUNCTION mockupd.as_of(p_reservation mockupd.reservations, p_now timestamptz)
RETURNS mockupd.reservations
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF p_reservation.expires_at <= p_now THEN
    IF p_reservation.state = 'held' THEN
      p_reservation.state := 'expired';
      p_reservation.held := 0;
      p_reservation.settled_at := p_reservation.expires_at;
    ELSIF p_reservation.state = 'dispatched' THEN
      p_reservation.state := 'unresolved';
    END IF;
  END IF;
  RETURN p_reservation;
END
$$;

REVOKE ALL ON FUNCTION mockupd.as_of
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
