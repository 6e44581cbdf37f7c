-- Returns a page of a user's reservations in their states at $1, the newest first.
--
-- $1 timestamptz  now; null: the time of the database   $2 uuid  user
-- $3 text[]       the states; null: all
-- $4 uuid         the group; null: all              $5 uuid  the mockup; null: all
-- $6 timestamptz  and $7 uuid: created_at and id of the previous page's last reservation, or null
-- $8 integer      maximum number of reservations
SELECT
  r.user_id, r.id, r.state, r.credits, r.granted, r.held, r.committed, r.overrun, r.operation,
  r.year, r.month, r.created_at, r.expires_at, r.dispatched_at, r.settled_at,
  r.mockup_id, r.group_id, r.commit_id, r.late
FROM mockupd.reservations AS row
CROSS JOIN LATERAL mockupd.as_of(row, coalesce($1, now())) AS r
WHERE row.user_id = $2 AND row.created_at > '-infinity' -- the condition of the index
  AND ($3 IS NULL OR r.state = ANY ($3))
  AND ($4 IS NULL OR row.group_id = $4)
  AND ($5 IS NULL OR row.mockup_id = $5)
  AND ($6 IS NULL OR (row.created_at, row.id) < ($6, $7))
ORDER BY row.created_at DESC, row.id DESC
LIMIT $8
