-- Sets a user's budget, soft limit, or both; no row for an unknown user.
--
-- $1 timestamptz  now
-- $2 uuid         user
-- $3 integer      annual budget, null: as it is   $4 integer  monthly soft limit, null: as it is
-- $5 text         who sets it
SELECT
  previous_annual_budget, previous_monthly_soft_limit,
  extract(year FROM $1 AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM $1 AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.set_budget($1, $2, $3, $4, $5)
