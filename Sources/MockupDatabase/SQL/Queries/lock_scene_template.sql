-- Returns a user's own scene template, and locks it until the transaction ends.
--
-- $1 uuid  user
-- $2 uuid  template
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url,
  t.config, t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at,
  t.updated_at
FROM public.mockup_scene_templates AS t
WHERE t.id = $2 AND t.user_id = $1 AND NOT t.is_system
FOR NO KEY UPDATE
