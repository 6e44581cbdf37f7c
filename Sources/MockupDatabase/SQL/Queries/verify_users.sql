-- Returns the discrepancies of a batch of users, one in each row. A user without discrepancies has
-- one row with nulls.
--
-- $1 uuid     last user of the previous batch; null: start with the first
-- $2 integer  maximum number of users
SELECT user_id, year, discrepancy FROM mockupd.verify_users($1, $2)
