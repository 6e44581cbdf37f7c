-- Returns a page of the alerts, the newest first, each with the label of its user. p_before is the
-- id of the previous page's last alert, or null. If p_user_id is null, the alerts of all users are
-- returned. A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.list_alerts(
  p_user_id uuid, p_before bigint, p_limit integer, p_partition integer DEFAULT 0
) RETURNS TABLE (alert mockupd.alerts, user_label text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT a, mockupd.user_label(a.user_id)
  FROM mockupd.alerts AS a
  WHERE (p_user_id IS NULL OR a.user_id = p_user_id)
    AND a.id < coalesce(p_before, 9223372036854775807)
  ORDER BY a.id DESC
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_alerts
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_alerts TO mockupd_service;
