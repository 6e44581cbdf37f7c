-- Returns a page of the alerts, the newest first.
--
-- $1 uuid     user; null: all
-- $2 bigint   id of the previous page's last alert, or null
-- $3 integer  maximum number of alerts
-- $4 integer  partition of a proxy database; otherwise 0
SELECT
  (alert).id, (alert).user_id, user_label, (alert).threshold::integer, (alert).year,
  (alert).month, (alert).credits, (alert).credit_limit, (alert).created_at
FROM mockupd.list_alerts($1, $2, $3, $4)
ORDER BY (alert).id DESC
