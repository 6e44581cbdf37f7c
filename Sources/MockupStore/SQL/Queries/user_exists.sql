-- Whether there is such a user.
--
-- $1 uuid  user
SELECT mockupd.user_exists($1)
