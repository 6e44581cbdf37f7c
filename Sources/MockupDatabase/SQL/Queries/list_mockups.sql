-- Returns a page of a user's mockups, the newest first.
--
-- $1 uuid         user
-- $2 uuid         the asset; null: all            $3 uuid  the quote; null: all
-- $4 text         the scene; null: all            $5 text  the status; null: all
-- $6 timestamptz  and $7 uuid: created_at and id of the previous page's last mockup, or null
-- $8 bigint       maximum number of mockups
SELECT
  (mockup).user_id, (mockup).id, (mockup).asset_id, (mockup).quote_id, (mockup).scene,
  (mockup).scene_config::text, (mockup).status,
  (mockup).file_url, (mockup).file_key, (mockup).thumbnail_url, (mockup).dm_render_id,
  nullif((mockup).dm_metadata, '{}')::text, (mockup).quality_score::float8,
  (mockup).credits_used::integer, (mockup).error_message, (mockup).total_pins::integer,
  (mockup).total_impressions::integer,
  (mockup).created_at, (mockup).updated_at, coalesce((job).attempt, 0), (job).reservation_id
FROM mockupd.list_mockups($1, $2, $3, $4, $5, $6, $7, $8)
