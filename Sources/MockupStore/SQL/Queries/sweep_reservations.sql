-- Expires a batch of what is due, and says how many that were.
--
-- $1 timestamptz  now
-- $2 integer      how many at a time
SELECT mockupd.sweep_reservations($1, $2)
