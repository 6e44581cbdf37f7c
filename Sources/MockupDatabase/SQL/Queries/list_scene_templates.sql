-- Returns a page of the scene templates that are visible to a user, by key. For each key the user's
-- template comes before the system's.
--
-- $1 uuid     user; null: only system templates are visible
-- $2 boolean  whether to include inactive templates
-- $3 boolean  whether to list only the user's own templates
-- $4 text     the collection that the templates are recommended for; null: all
-- $5 text, $6 boolean and $7 uuid: key, is_system, id of the previous page's last template or null
-- $8 bigint   maximum number of templates
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url,
  t.config, t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at,
  t.updated_at
FROM mockupd.list_scene_templates($1, $2, $3, $4, $5, $6, $7, $8) AS t
