-- One reservation as it stands: what is due has expired, whether or not anything has noticed yet.
--
-- $1 timestamptz  now
-- $2 uuid         user
-- $3 uuid         reservation id
SELECT
  r.user_id, r.id,
  CASE WHEN due.now THEN 'expired' ELSE r.state END AS state,
  r.credits, CASE WHEN due.now THEN 0 ELSE r.held END AS held, r.committed, r.operation,
  r.year, r.month,
  r.created_at, r.expires_at, CASE WHEN due.now THEN r.expires_at ELSE r.settled_at END AS settled_at,
  r.mockup_id, r.commit_id, r.late
FROM mockupd.reservations AS r
CROSS JOIN LATERAL (SELECT r.state = 'held' AND r.expires_at <= $1 AS now) AS due
WHERE r.user_id = $2 AND r.id = $3
