-- Checks each change of a mockup's status.
CREATE OR REPLACE TRIGGER mockups_status_transition
  BEFORE UPDATE OF status ON public.mockups
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION mockupd.guard_mockup_status();
