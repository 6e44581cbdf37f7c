-- Returns those of some users whose counters another session has locked.
--
-- $1 uuid[]  users
SELECT user_id FROM mockupd.locked_users($1)
