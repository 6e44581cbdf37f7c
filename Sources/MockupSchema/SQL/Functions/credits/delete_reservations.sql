-- Deletes a user's reservations when the user's counters are deleted together with the user.
--
-- It replaces a foreign key, which would look the user up for every new reservation. A reservation that is
-- made before the lock on the counters is released is seen here; a session that waits for the lock finds
-- no user. Counters that are deleted without their user take no reservations with them.
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
