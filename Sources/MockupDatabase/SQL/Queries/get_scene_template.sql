-- Returns a scene template that is visible to a user.
--
-- $1 uuid  user; null: only system templates are visible
-- $2 uuid  template
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url,
  t.config, t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at,
  t.updated_at
FROM mockupd.get_scene_template($1, $2) AS t
