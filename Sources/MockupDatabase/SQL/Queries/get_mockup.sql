-- Returns a mockup.
--
-- $1 uuid  user
-- $2 uuid  mockup
SELECT
  m.user_id, m.id, m.asset_id, m.quote_id, m.scene,
  m.scene_config::text, m.status,
  m.file_url, m.file_key, m.thumbnail_url, m.dm_render_id,
  nullif(m.dm_metadata, '{}')::text, m.quality_score::float8,
  m.credits_used::integer, m.error_message, m.total_pins::integer, m.total_impressions::integer,
  m.created_at, m.updated_at, coalesce(j.attempt, 0), j.reservation_id
FROM public.mockups AS m
LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
WHERE m.user_id = $1 AND m.id = $2
