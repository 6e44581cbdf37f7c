-- Deletes a user's own scene template.
--
-- $1 uuid  user
-- $2 uuid  template
DELETE FROM public.mockup_scene_templates
WHERE id = $2 AND user_id = $1 AND NOT is_system
