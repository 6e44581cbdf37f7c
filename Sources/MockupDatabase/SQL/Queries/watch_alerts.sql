-- Returns the alerts after one, in the order of their ids.
--
-- $1 bigint   id of the last alert that the caller has
-- $2 integer  maximum number of alerts
SELECT
  a.id, a.user_id, mockupd.user_label(a.user_id) AS user_label, a.threshold::integer, a.year,
  a.month, a.credits, a.credit_limit, a.created_at
FROM mockupd.alerts AS a
WHERE a.id > $1
ORDER BY a.id
LIMIT $2
