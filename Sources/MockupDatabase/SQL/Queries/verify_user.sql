-- Returns the discrepancies of one user, one in each row.
--
-- $1 uuid  user
SELECT user_id, year, discrepancy FROM mockupd.verify_counters($1) ORDER BY 2, 3
