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
FROM public.mockup_scene_templates AS t
WHERE (t.user_id = $1 OR t.user_id IS NULL AND t.is_system AND NOT $3)
  AND ($2 OR t.is_active)
  AND ($4 IS NULL OR $4 = ANY (t.recommended_collections))
  AND ($5 IS NULL OR (t.scene_key COLLATE "C", t.is_system, t.id) > ($5, $6, $7))
ORDER BY t.scene_key COLLATE "C", t.is_system, t.id
LIMIT $8
