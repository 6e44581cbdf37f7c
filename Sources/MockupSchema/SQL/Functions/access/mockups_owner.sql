-- Checks the owner of a mockup's asset and quote. Triggers run before row level security does: a row that
-- names another user is left to row level security, which refuses it, since the check would tell what the
-- other user has.
CREATE OR REPLACE TRIGGER mockups_owner
  BEFORE INSERT OR UPDATE OF user_id, asset_id, quote_id ON public.mockups
  FOR EACH ROW WHEN (
    CASE WHEN row_security_active('public.mockups'::regclass)
      THEN NEW.user_id = auth.uid() ELSE true END)
  EXECUTE FUNCTION mockupd.guard_mockup_owner();
