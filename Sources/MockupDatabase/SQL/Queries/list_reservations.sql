-- Returns a page of a user's reservations in their states at $1, the newest first.
--
-- $1 timestamptz  now; null: the time of the database   $2 uuid  user
-- $3 text[]       the states; null: all
-- $4 uuid         the group; null: all              $5 uuid  the mockup; null: all
-- $6 timestamptz  and $7 uuid: created_at and id of the previous page's last reservation, or null
-- $8 bigint       maximum number of reservations
SELECT
  r.user_id, r.id, r.state, r.credits, r.granted, r.held, r.committed, r.overrun, r.operation,
  r.year, r.month, r.created_at, r.expires_at, r.dispatched_at, r.settled_at,
  r.mockup_id, r.group_id, r.commit_id, r.late
FROM mockupd.list_reservations($1, $2, $3, $4, $5, $6, $7, $8) AS r
