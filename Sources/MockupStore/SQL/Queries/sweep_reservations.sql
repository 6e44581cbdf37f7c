-- Expires one batch of what is due. See mockupd.sweep_reservations.
--
-- $1 timestamptz  now
-- $2 timestamptz  the due time that the last batch ended with, or null
-- $3 integer      how many users' years at most
SELECT years, expired, last_due_at FROM mockupd.sweep_reservations($1, $2, $3)
