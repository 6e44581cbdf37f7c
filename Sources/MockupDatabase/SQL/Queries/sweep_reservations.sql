-- Expires a batch of due reservations. See mockupd.sweep_reservations.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 timestamptz  last due time of the previous batch, or null
-- $3 integer      maximum number of counters
-- $4 integer      partition of a proxy database; otherwise 0
SELECT years, expired, last_due_at FROM mockupd.sweep_reservations($1, $2, $3, $4)
