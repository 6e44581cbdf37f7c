-- Returns a page of the reservations of all users that are unresolved now, each with the label of
-- its user. Those that are unresolved for the longest time (since expires_at) come first.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 timestamptz  and $3 uuid, $4 uuid: expires_at, user and id of the previous page's last
--                 reservation, or null
-- $5 integer      maximum number of reservations
SELECT
  r.user_id, r.id, r.state, r.credits, r.granted, r.held, r.committed, r.overrun, r.operation,
  r.year, r.month, r.created_at, r.expires_at, r.dispatched_at, r.settled_at,
  r.mockup_id, r.group_id, r.commit_id, r.late, mockupd.user_label(r.user_id) AS user_label
FROM (SELECT coalesce($1, now()) AS now) AS clock
CROSS JOIN LATERAL mockupd.unresolved_reservations(clock.now) AS row
CROSS JOIN LATERAL mockupd.as_of(row, clock.now) AS r
WHERE $2 IS NULL OR (r.expires_at, r.user_id, r.id) > ($2, $3, $4)
ORDER BY r.expires_at, r.user_id, r.id
LIMIT $5
