-- Returns a mockup.
--
-- $1 uuid  user
-- $2 uuid  mockup
SELECT
  (mockup).user_id, (mockup).id, (mockup).asset_id, (mockup).quote_id, (mockup).scene,
  (mockup).scene_config::text, (mockup).status,
  (mockup).file_url, (mockup).file_key, (mockup).thumbnail_url, (mockup).dm_render_id,
  nullif((mockup).dm_metadata, '{}')::text, (mockup).quality_score::float8,
  (mockup).credits_used::integer, (mockup).error_message, (mockup).total_pins::integer,
  (mockup).total_impressions::integer,
  (mockup).created_at, (mockup).updated_at, coalesce((job).attempt, 0), (job).reservation_id
FROM mockupd.get_mockup($1, $2)
