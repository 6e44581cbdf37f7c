-- Changes a user's own scene template. A null parameter leaves its column unchanged. An empty
-- string is stored as null in a column that may be null.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid   user                 $3 uuid   template
-- $4 text   name                 $5 text   description
-- $6 text   vendor's id          $7 text   vendor's URL   $8 jsonb    configuration
-- $9 text   URL of the preview   $10 boolean  active      $11 text[]  recommended collections
UPDATE public.mockup_scene_templates AS t
SET name = coalesce($4, t.name),
  description = CASE WHEN $5 IS NULL THEN t.description ELSE nullif($5, '') END,
  dm_template_id = coalesce($6, t.dm_template_id),
  dm_template_url = CASE WHEN $7 IS NULL THEN t.dm_template_url ELSE nullif($7, '') END,
  config = coalesce($8, t.config),
  preview_url = CASE WHEN $9 IS NULL THEN t.preview_url ELSE nullif($9, '') END,
  is_active = coalesce($10, t.is_active),
  recommended_collections = coalesce($11, t.recommended_collections),
  updated_at = coalesce($1, clock_timestamp())
WHERE t.id = $3 AND t.user_id = $2 AND NOT t.is_system
RETURNING
  t.id, t.user_id, t.scene_key, t.name, t.description, t.dm_template_id, t.dm_template_url,
  t.config, t.preview_url, t.is_active, t.is_system, t.recommended_collections, t.created_at,
  t.updated_at
