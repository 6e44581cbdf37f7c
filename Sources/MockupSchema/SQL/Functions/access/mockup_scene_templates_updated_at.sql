-- Sets a template's time of change, unless the statement sets it: only the service may, and it has its own
-- clock.
CREATE OR REPLACE TRIGGER mockup_scene_templates_updated_at
  BEFORE UPDATE ON public.mockup_scene_templates
  FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at)
  EXECUTE FUNCTION public.update_updated_at_column();
