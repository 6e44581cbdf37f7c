-- Records deleted mockups in the feed.
CREATE OR REPLACE FUNCTION mockupd.mockups_were_deleted()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(o.user_id), array_agg(o.id), array_agg(true))
  FROM old_mockups AS o;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.mockups_were_deleted
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
