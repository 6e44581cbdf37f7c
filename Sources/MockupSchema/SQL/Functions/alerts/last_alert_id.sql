-- Returns the id of the last alert; 0 if there was none. A proxy database passes the call on to the
-- partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.last_alert_id(p_partition integer DEFAULT 0)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT f.last_id FROM mockupd.alert_feed AS f);
END
$$;

REVOKE ALL ON FUNCTION mockupd.last_alert_id
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.last_alert_id TO mockupd_service;
