-- Returns a page of the reservations of all users that are unresolved now, each with the label of
-- its user. Those that are unresolved for the longest time (since expires_at) come first.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 timestamptz  and $3 uuid, $4 uuid: expires_at, user and id of the previous page's last
--                 reservation, or null
-- $5 bigint       maximum number of reservations
SELECT
  (reservation).user_id, (reservation).id, (reservation).state, (reservation).credits,
  (reservation).granted, (reservation).held, (reservation).committed, (reservation).overrun,
  (reservation).operation, (reservation).year, (reservation).month, (reservation).created_at,
  (reservation).expires_at, (reservation).dispatched_at, (reservation).settled_at,
  (reservation).mockup_id, (reservation).group_id, (reservation).commit_id, (reservation).late,
  user_label
FROM mockupd.list_unresolved_reservations($1, $2, $3, $4, $5)
