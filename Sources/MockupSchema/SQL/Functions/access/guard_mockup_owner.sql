-- Rejects a mockup with an asset or a quote of another user.
--
-- Foreign keys on (user_id, asset_id) would need unique constraints on assets and quotes, which
-- belong to other parts of the product on Supabase. The message is the same for an asset that does
-- not exist and for one of another user, so that ids cannot be probed. Only changed columns are
-- checked: old rows may violate the rule, and must still be updated when their quote is deleted.
CREATE OR REPLACE FUNCTION mockupd.guard_mockup_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_new boolean := TG_OP = 'INSERT' OR OLD.user_id IS DISTINCT FROM NEW.user_id;
BEGIN
  IF (v_new OR OLD.asset_id IS DISTINCT FROM NEW.asset_id)
    AND NOT EXISTS (
      SELECT FROM public.assets AS a WHERE a.id = NEW.asset_id AND a.user_id = NEW.user_id)
  THEN
    RAISE EXCEPTION 'user % has no asset %', NEW.user_id, NEW.asset_id
      USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public', TABLE = 'mockups',
        COLUMN = 'asset_id', CONSTRAINT = 'mockups_asset_owner';
  END IF;
  IF (v_new OR OLD.quote_id IS DISTINCT FROM NEW.quote_id) AND NEW.quote_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM public.quotes AS q WHERE q.id = NEW.quote_id AND q.user_id = NEW.user_id)
  THEN
    RAISE EXCEPTION 'user % has no quote %', NEW.user_id, NEW.quote_id
      USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public', TABLE = 'mockups',
        COLUMN = 'quote_id', CONSTRAINT = 'mockups_quote_owner';
  END IF;
  RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION mockupd.guard_mockup_owner
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
