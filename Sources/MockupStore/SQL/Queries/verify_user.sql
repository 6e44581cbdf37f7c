-- What is wrong with one user's books, a row a discrepancy.
--
-- $1 uuid  user
SELECT user_id, year, discrepancy FROM mockupd.verify_counters($1) ORDER BY 2, 3
