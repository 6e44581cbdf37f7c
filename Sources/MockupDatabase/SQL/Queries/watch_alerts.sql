-- Returns the alerts after one, in the order of their ids.
--
-- $1 bigint   id of the last alert that the caller has
-- $2 integer  maximum number of alerts
-- $3 integer  partition of a proxy database; otherwise 0
SELECT
  (alert).id, (alert).user_id, user_label, (alert).threshold::integer, (alert).year,
  (alert).month, (alert).credits, (alert).credit_limit, (alert).created_at
FROM mockupd.alerts_after($1, $2, $3)
ORDER BY (alert).id
