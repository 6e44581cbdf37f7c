-- Changes a user's own scene template. A null parameter leaves its column unchanged. An empty
-- string is stored as null in a column that may be null. See mockupd.update_scene_template for the
-- outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid   user                 $3 uuid   template
-- $4 text   name                 $5 text   description
-- $6 text   vendor's id          $7 text   vendor's URL
-- $8 jsonb  configuration        $9 jsonb  the configuration from which it derives
-- $10 text  URL of the preview   $11 boolean  active      $12 text[]  recommended collections
SELECT
  outcome,
  (template).id, (template).user_id, (template).scene_key, (template).name,
  (template).description, (template).dm_template_id, (template).dm_template_url,
  (template).config, (template).preview_url, (template).is_active, (template).is_system,
  (template).recommended_collections, (template).created_at, (template).updated_at
FROM mockupd.update_scene_template($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
