-- Deletes a user's reservations when the user's counters are deleted together with the user.
--
-- The trigger replaces a foreign key, which would look up the user for every new reservation. A
-- session that makes a reservation locks the counters. If it commits before the deletion, this
-- function sees the reservation. If it waits for the deletion, it finds no user afterwards.
-- Reservations are kept if their counters are deleted without the user.
CREATE OR REPLACE FUNCTION mockupd.delete_reservations()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM mockupd.reservations AS r
  WHERE r.user_id = OLD.user_id
    AND NOT EXISTS (SELECT FROM auth.users AS u WHERE u.id = OLD.user_id);
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.delete_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
