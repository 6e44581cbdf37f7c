-- Checks the owner of a mockup's asset and quote. Triggers run before the checks of row level
-- security. A row that names another user is left to row level security, which rejects it: this
-- check would reveal which assets and quotes the other user has.
CREATE OR REPLACE TRIGGER mockups_owner
  BEFORE INSERT OR UPDATE OF user_id, asset_id, quote_id ON public.mockups
  FOR EACH ROW WHEN (
    CASE WHEN row_security_active('public.mockups'::regclass)
      THEN NEW.user_id = auth.uid() ELSE true END)
  EXECUTE FUNCTION mockupd.guard_mockup_owner();
