-- Returns a reservation in its state at $1.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 uuid         reservation id
SELECT
  r.user_id, r.id, r.state, r.credits, r.granted, r.held, r.committed, r.overrun, r.operation,
  r.year, r.month, r.created_at, r.expires_at, r.dispatched_at, r.settled_at,
  r.mockup_id, r.group_id, r.commit_id, r.late
FROM mockupd.get_reservation($1, $2, $3) AS r
