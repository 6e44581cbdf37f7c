-- Returns the id of the last alert.
SELECT mockupd.last_alert_id()
