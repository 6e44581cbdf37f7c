-- Returns a user's credits in each month of a range. Months are in UTC, and numbered by
-- year * 12 + month - 1. See mockupd.usage_history_by_month.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      the first month   $4 integer  the last month
SELECT number, generation, regeneration, refund, reserved, released
FROM mockupd.usage_history_by_month($1, $2, $3, $4)
ORDER BY number
