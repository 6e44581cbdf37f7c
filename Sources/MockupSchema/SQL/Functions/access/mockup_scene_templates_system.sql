-- Checks each change of a scene template.
CREATE OR REPLACE TRIGGER mockup_scene_templates_system
  BEFORE INSERT OR UPDATE OR DELETE ON public.mockup_scene_templates
  FOR EACH ROW EXECUTE FUNCTION mockupd.guard_system_scene();
