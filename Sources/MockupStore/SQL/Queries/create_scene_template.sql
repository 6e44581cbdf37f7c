-- Makes a template of a user. See mockupd.create_scene_template for what each outcome means.
--
-- $1 timestamptz  now
-- $2 uuid   user            $3 uuid   template
-- $4 text   scene key       $5 text   name          $6 text  description
-- $7 text   vendor's id     $8 text   vendor's URL  $9 jsonb configuration
-- $10 text  preview's URL   $11 boolean active      $12 text[] recommended collections
SELECT
  outcome, replayed,
  (template).id, (template).user_id, (template).scene_key, (template).name,
  (template).description, (template).dm_template_id, (template).dm_template_url,
  (template).config, (template).preview_url, (template).is_active, (template).is_system,
  (template).recommended_collections, (template).created_at, (template).updated_at
FROM mockupd.create_scene_template($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
