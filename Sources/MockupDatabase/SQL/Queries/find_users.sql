-- Returns the ids of users with a label.
--
-- $1 text  label                                 $2 integer  maximum number of users
SELECT id FROM mockupd.find_users($1, $2) AS id
