-- Creates a user's scene template. See mockupd.create_scene_template for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid   user                 $3 uuid   request id    $4 uuid     id for the template
-- $5 text   scene key            $6 text   name          $7 text     description
-- $8 text   vendor's id          $9 text   vendor's URL  $10 jsonb   configuration
-- $11 text  URL of the preview   $12 boolean  active     $13 text[]  recommended collections
SELECT
  outcome, replayed,
  (template).id, (template).user_id, (template).scene_key, (template).name,
  (template).description, (template).dm_template_id, (template).dm_template_url,
  (template).config, (template).preview_url, (template).is_active, (template).is_system,
  (template).recommended_collections, (template).created_at, (template).updated_at
FROM mockupd.create_scene_template($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
