-- Functions that get the parameter p_partition, the partition to which a proxy database passes the
-- call on. Their files create them again.

DROP FUNCTION IF EXISTS mockupd.wait_for_replication();
DROP FUNCTION IF EXISTS mockupd.last_alert_id();
DROP FUNCTION IF EXISTS mockupd.alerts_after(bigint, integer);
DROP FUNCTION IF EXISTS mockupd.list_alerts(uuid, bigint, integer);
DROP FUNCTION IF EXISTS mockupd.claim_mockups(
  timestamptz, text, integer, integer, integer, boolean);
DROP FUNCTION IF EXISTS mockupd.expire_leases(timestamptz, integer);
DROP FUNCTION IF EXISTS mockupd.sweep_reservations(timestamptz, timestamptz, integer);
DROP FUNCTION IF EXISTS mockupd.count_performance(
  timestamptz, uuid[], bytea[], integer[], integer[], uuid[], uuid[], integer[], integer[]);
