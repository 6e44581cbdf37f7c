-- Returns a user's credits, or no row if the user does not exist.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      year; null: the current year
-- $4 integer      month; null: the current month
SELECT
  period.year, period.month,
  usage.annual_budget, usage.monthly_soft_limit,
  usage.generation, usage.regeneration, usage.refund, usage.held,
  usage.monthly_used, usage.monthly_held
FROM (
  SELECT
    clock.now,
    coalesce($3, extract(year FROM clock.now AT TIME ZONE 'UTC')::integer) AS year,
    coalesce($4, extract(month FROM clock.now AT TIME ZONE 'UTC')::integer) AS month
  FROM (SELECT coalesce($1, now()) AS now) AS clock
) AS period
CROSS JOIN LATERAL mockupd.usage_at(period.now, $2, period.year, period.month) AS usage
