-- Takes back leases that have lapsed, and says how many.
--
-- $1 timestamptz  now
-- $2 integer      how many at most
SELECT mockupd.expire_leases($1, $2)
