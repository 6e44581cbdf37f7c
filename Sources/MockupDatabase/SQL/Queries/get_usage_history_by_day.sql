-- Returns a user's credits in each day of a range. Days are in UTC, and numbered from 1 January
-- 1970, which is 0. See mockupd.usage_history_by_day.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      the first day   $4 integer  the last day
SELECT number, generation, regeneration, refund, reserved, released
FROM mockupd.usage_history_by_day($1, $2, $3, $4)
ORDER BY number
