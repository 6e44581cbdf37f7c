-- The template that a user's mockups of a scene are made with: of those that are active, the user's own
-- before the system's. Old data may have several of one key: then the first of them.
--
-- $1 uuid  user
-- $2 text  scene key
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url, t.config,
  t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at, t.updated_at
FROM public.mockup_scene_templates AS t
WHERE t.scene_key COLLATE "C" = $2 AND t.is_active AND (t.user_id = $1 OR t.is_system)
ORDER BY t.is_system, t.created_at, t.id
LIMIT 1
