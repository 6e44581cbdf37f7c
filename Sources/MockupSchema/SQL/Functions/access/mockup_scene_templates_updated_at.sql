-- Sets updated_at of a scene template, unless the statement sets it. Only the service may set it,
-- and uses its own clock.
CREATE OR REPLACE TRIGGER mockup_scene_templates_updated_at
  BEFORE UPDATE ON public.mockup_scene_templates
  FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at)
  EXECUTE FUNCTION public.update_updated_at_column();
