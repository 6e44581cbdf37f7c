-- Returns whether a user exists.
--
-- $1 uuid  user
SELECT mockupd.user_exists($1)
