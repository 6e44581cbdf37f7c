-- Ends a batch of leases that have lapsed, and says how many they were.
--
-- $1 timestamptz  now
-- $2 integer      how many at a time
SELECT mockupd.expire_leases($1, $2)
