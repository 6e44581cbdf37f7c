-- Returns a page of a user's mockups, the newest first.
--
-- $1 uuid         user
-- $2 uuid         the asset; null: all            $3 uuid  the quote; null: all
-- $4 text         the scene; null: all            $5 text  the status; null: all
-- $6 timestamptz  and $7 uuid: created_at and id of the previous page's last mockup, or null
-- $8 bigint       maximum number of mockups
SELECT
  m.user_id, m.id, m.asset_id, m.quote_id, m.scene,
  m.scene_config::text, m.status,
  m.file_url, m.file_key, m.thumbnail_url, m.dm_render_id,
  nullif(m.dm_metadata, '{}')::text, m.quality_score::float8,
  m.credits_used::integer, m.error_message, m.total_pins::integer, m.total_impressions::integer,
  m.created_at, m.updated_at, coalesce(j.attempt, 0), j.reservation_id
FROM public.mockups AS m
LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
WHERE m.user_id = $1
  AND ($2 IS NULL OR m.asset_id = $2)
  AND ($3 IS NULL OR m.quote_id = $3)
  AND ($4 IS NULL OR m.scene = $4)
  AND ($5 IS NULL OR m.status = $5)
  AND ($6 IS NULL OR (m.created_at, m.id) < ($6, $7))
ORDER BY m.created_at DESC, m.id DESC
LIMIT $8
