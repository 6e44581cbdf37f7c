-- Rejects changes of a mockup's status that its life cycle does not allow.
CREATE OR REPLACE FUNCTION mockupd.guard_mockup_status() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (OLD.status, NEW.status) IN (
    ('pending', 'generating'), ('generating', 'completed'),
    ('completed', 'approved'), ('completed', 'rejected'),
    ('pending', 'failed'), ('generating', 'failed'),
    -- Regeneration.
    ('failed', 'pending'), ('rejected', 'pending'), ('completed', 'pending'),
    ('approved', 'pending')
  ) THEN
    RETURN NEW;
  END IF;
  -- Only the engine, whose functions run as the owner, may make these changes: when a lease expires
  -- or an attempt is retried, and when a completion skips approval.
  IF (OLD.status, NEW.status) IN (('generating', 'pending'), ('generating', 'approved'))
    AND pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE')
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a mockup cannot change from % to %', OLD.status, NEW.status
    USING ERRCODE = 'check_violation', SCHEMA = 'public', TABLE = 'mockups',
      CONSTRAINT = 'mockups_status_transition';
END
$$;

REVOKE ALL ON FUNCTION mockupd.guard_mockup_status
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
