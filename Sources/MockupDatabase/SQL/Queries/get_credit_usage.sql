-- Returns a user's credits, or no row if the user does not exist.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      year; null: the current year
-- $4 integer      month; null: the current month
SELECT
  year, month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.credit_usage($1, $2, $3, $4)
