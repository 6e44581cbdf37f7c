-- Returns the id of the last alert.
SELECT last_id FROM mockupd.alert_feed
