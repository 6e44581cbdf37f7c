-- A page of the scene templates that a user sees, by key, the user's before the system's.
--
-- $1 uuid     user, null: the system's alone
-- $2 boolean  also those that are not active
-- $3 boolean  only the user's own
-- $4 text     only those recommended for this collection, null: all
-- $5 text, $6 boolean and $7 uuid: key, is_system and id of the last of the page before, or null
-- $8 bigint   how many
SELECT
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url, t.config,
  t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at, t.updated_at
FROM public.mockup_scene_templates AS t
WHERE (t.user_id = $1 OR t.user_id IS NULL AND t.is_system AND NOT $3)
  AND ($2 OR t.is_active)
  AND ($4 IS NULL OR $4 = ANY (t.recommended_collections))
  AND ($5 IS NULL OR (t.scene_key COLLATE "C", t.is_system, t.id) > ($5, $6, $7))
ORDER BY t.scene_key COLLATE "C", t.is_system, t.id
LIMIT $8
