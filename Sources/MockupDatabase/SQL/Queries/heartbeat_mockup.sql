-- Renews a lease. See mockupd.heartbeat_mockup for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user                        $3 uuid     mockup
-- $4 integer      attempt number              $5 integer  duration of the lease in seconds
SELECT
  outcome,
  (mockup).user_id, (mockup).id, (mockup).asset_id, (mockup).quote_id, (mockup).scene,
  (mockup).scene_config::text, (mockup).status,
  (mockup).file_url, (mockup).file_key, (mockup).thumbnail_url, (mockup).dm_render_id,
  nullif((mockup).dm_metadata, '{}')::text, (mockup).quality_score::float8,
  (mockup).credits_used::integer, (mockup).error_message, (mockup).total_pins::integer,
  (mockup).total_impressions::integer,
  (mockup).created_at, (mockup).updated_at, coalesce((job).attempt, 0), (job).reservation_id,
  (job).lease_expires_at
FROM mockupd.heartbeat_mockup($1, $2, $3, $4, $5)
