-- Leases the oldest pending mockups. See mockupd.claim_mockups.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 text         name of the worker
-- $3 integer      maximum number of mockups   $4 integer  duration of the lease in seconds
-- $5 integer      maximum total size of the mockups in bytes
-- $6 boolean      whether to leave out users whose counters are locked
-- $7 integer      partition of a proxy database; otherwise 0
SELECT
  (mockup).user_id, (mockup).id, (mockup).asset_id, (mockup).quote_id, (mockup).scene,
  (mockup).scene_config::text, (mockup).status,
  (mockup).file_url, (mockup).file_key, (mockup).thumbnail_url, (mockup).dm_render_id,
  nullif((mockup).dm_metadata, '{}')::text, (mockup).quality_score::float8,
  (mockup).credits_used::integer, (mockup).error_message, (mockup).total_pins::integer,
  (mockup).total_impressions::integer,
  (mockup).created_at, (mockup).updated_at, coalesce((job).attempt, 0), (job).reservation_id,
  (job).lease_expires_at, credits, dm_template_id, dm_template_url,
  (job).attempt_limit - (job).round_attempts
FROM mockupd.claim_mockups($1, $2, $3, $4, $5, $6, $7)
ORDER BY (job).requested_at, (job).mockup_id
