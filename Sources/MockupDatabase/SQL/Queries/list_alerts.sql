-- Returns a page of the alerts, the newest first.
--
-- $1 uuid     user; null: all
-- $2 bigint   id of the previous page's last alert, or null
-- $3 integer  maximum number of alerts
SELECT
  a.id, a.user_id, mockupd.user_label(a.user_id) AS user_label, a.threshold::integer, a.year,
  a.month, a.credits, a.credit_limit, a.created_at
FROM mockupd.alerts AS a
WHERE ($1 IS NULL OR a.user_id = $1) AND a.id < coalesce($2, 9223372036854775807)
ORDER BY a.id DESC
LIMIT $3
