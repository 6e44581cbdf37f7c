-- Returns the alerts after the one with the id p_after, in the order of their ids, each with the
-- label of its user. A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.alerts_after(
  p_after bigint, p_limit integer, p_partition integer DEFAULT 0
) RETURNS TABLE (alert mockupd.alerts, user_label text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT a, mockupd.user_label(a.user_id)
  FROM mockupd.alerts AS a
  WHERE a.id > p_after
  ORDER BY a.id
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.alerts_after
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.alerts_after TO mockupd_service;
