-- Records changed mockups in the feed.
CREATE OR REPLACE FUNCTION mockupd.mockups_were_updated()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(c.user_id), array_agg(c.id), array_agg(c.is_deleted))
  FROM (
    SELECT n.user_id, n.id, false AS is_deleted
    FROM new_mockups AS n
    LEFT JOIN old_mockups AS o ON o.user_id = n.user_id AND o.id = n.id
    WHERE o.id IS NULL
      -- Changes of pins, impressions and leases are not recorded.
      OR (n.asset_id, n.quote_id, n.scene, n.scene_config, n.file_url, n.file_key,
        n.thumbnail_url, n.dm_render_id, n.dm_metadata, n.credits_used, n.quality_score,
        n.status, n.error_message, n.created_at)
      IS DISTINCT FROM (o.asset_id, o.quote_id, o.scene, o.scene_config, o.file_url, o.file_key,
        o.thumbnail_url, o.dm_render_id, o.dm_metadata, o.credits_used, o.quality_score,
        o.status, o.error_message, o.created_at)
    UNION ALL
    -- A mockup that was given to another user is recorded as deleted for the previous user.
    SELECT o.user_id, o.id, true
    FROM old_mockups AS o
    WHERE NOT EXISTS (
      SELECT FROM new_mockups AS n WHERE n.user_id = o.user_id AND n.id = o.id)
  ) AS c;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.mockups_were_updated
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
