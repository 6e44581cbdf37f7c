-- What is wrong with the books of the next users: a row a discrepancy, and one without for a user whose
-- books are right.
--
-- $1 uuid     the last user of the batch before, null: none
-- $2 integer  how many users
SELECT user_id, year, discrepancy FROM mockupd.verify_users($1, $2)
