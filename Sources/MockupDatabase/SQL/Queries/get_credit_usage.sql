-- Returns a user's credits, or no row if the user does not exist.
--
-- $1 timestamptz  now
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
    coalesce($3, extract(year FROM $1 AT TIME ZONE 'UTC')::integer) AS year,
    coalesce($4, extract(month FROM $1 AT TIME ZONE 'UTC')::integer) AS month
) AS period
CROSS JOIN LATERAL mockupd.usage_at($1, $2, period.year, period.month) AS usage
