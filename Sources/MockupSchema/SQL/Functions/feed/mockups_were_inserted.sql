-- Records inserted mockups in the feed.
CREATE OR REPLACE FUNCTION mockupd.mockups_were_inserted()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(n.user_id), array_agg(n.id), array_agg(false))
  FROM new_mockups AS n;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.mockups_were_inserted
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
