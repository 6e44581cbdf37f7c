-- Sets a user's annual budget, monthly soft limit, or both; no row if the user does not exist. For
-- a trial, the same statement calls mockupd.try_set_budget.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      annual budget; null: unchanged   $4 integer  monthly soft limit; null: unchanged
-- $5 text         identity of the caller
SELECT
  previous_annual_budget, previous_monthly_soft_limit, year, month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.set_budget($1, $2, $3, $4, $5)
