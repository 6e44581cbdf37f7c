-- Returns the template for a user's mockups of a scene, as generate_mockups chooses it.
--
-- $1 uuid  user
-- $2 text  scene key
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url,
  t.config, t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at,
  t.updated_at
FROM mockupd.resolved_scene($1, $2) AS t
