-- Ends expired leases, and returns their number.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 integer      maximum number of leases
-- $3 integer      partition of a proxy database; otherwise 0
SELECT mockupd.expire_leases($1, $2, $3)
