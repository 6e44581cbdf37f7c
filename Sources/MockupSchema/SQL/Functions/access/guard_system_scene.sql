-- Rejects changes of system scene templates, which only migrations may make. Row level security
-- does not apply to service_role; this trigger does.
CREATE OR REPLACE FUNCTION mockupd.guard_system_scene() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (coalesce(OLD.is_system, false) OR coalesce(NEW.is_system, false))
    AND NOT pg_has_role(
      (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE')
  THEN
    RAISE EXCEPTION 'system scene templates are read-only'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN coalesce(NEW, OLD);
END
$$;

REVOKE ALL ON FUNCTION mockupd.guard_system_scene
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
