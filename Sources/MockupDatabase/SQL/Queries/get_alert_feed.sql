-- Returns the id of the last alert.
--
-- $1 integer  partition of a proxy database; otherwise 0
SELECT mockupd.last_alert_id($1)
