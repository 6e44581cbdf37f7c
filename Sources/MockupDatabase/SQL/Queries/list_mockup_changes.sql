-- Returns the changes of a user's mockups after a revision, in order, with the current mockup of
-- each change. A change that deleted a mockup has none.
--
-- $1 uuid     user
-- $2 bigint   revision
-- $3 integer  maximum number of changes
SELECT
  c.revision, c.mockup_id,
  m.user_id, m.id, m.asset_id, m.quote_id, m.scene,
  m.scene_config::text, m.status,
  m.file_url, m.file_key, m.thumbnail_url, m.dm_render_id,
  nullif(m.dm_metadata, '{}')::text, m.quality_score::float8,
  m.credits_used::integer, m.error_message, m.total_pins::integer, m.total_impressions::integer,
  m.created_at, m.updated_at, coalesce(j.attempt, 0), j.reservation_id
FROM mockupd.mockup_changes AS c
LEFT JOIN public.mockups AS m ON m.user_id = c.user_id AND m.id = c.mockup_id
LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
WHERE c.user_id = $1 AND c.revision > $2
ORDER BY c.revision
LIMIT $3
