-- A page of all users' credits, and in each of its rows the totals of all that the filter asks for. A
-- row without a user where the page is empty.
--
-- Each order is one of ascending figures, and of user ids where those are the same.
--
-- $1 timestamptz  now
-- $2 integer      year, null: now's   $3 integer  month, null: now's
-- $4 uuid         only this user, null: all
-- $5 boolean      only who is active  $6 boolean  only who has passed the soft limit
-- $7 bigint       only with so many available at most, null: all
-- $8 text         'used', 'held', 'available', 'monthly_used'; another: by user id
-- $9 bigint       and $10 uuid: figure and id of the last user of the page before, or null
-- $11 bigint      how many
WITH period AS (
  SELECT
    coalesce($2, extract(year FROM $1 AT TIME ZONE 'UTC')::integer) AS year,
    coalesce($3, extract(month FROM $1 AT TIME ZONE 'UTC')::integer) AS month
), report AS MATERIALIZED (
  SELECT r.*,
    CASE $8
      WHEN 'used' THEN -(generation + regeneration - refund)
      WHEN 'held' THEN -held
      WHEN 'available' THEN annual_budget - (generation + regeneration - refund) - held
      WHEN 'monthly_used' THEN -monthly_used
      ELSE 0
    END AS figure
  FROM period
  CROSS JOIN LATERAL mockupd.usage_report($1, period.year, period.month, $4, $5, $6, $7) AS r
), totals AS (
  SELECT
    count(*) AS users,
    coalesce(sum(annual_budget), 0)::bigint AS annual_budget,
    coalesce(sum(generation), 0)::bigint AS generation,
    coalesce(sum(regeneration), 0)::bigint AS regeneration,
    coalesce(sum(refund), 0)::bigint AS refund,
    coalesce(sum(held), 0)::bigint AS held,
    coalesce(sum(monthly_used), 0)::bigint AS monthly_used,
    coalesce(sum(monthly_held), 0)::bigint AS monthly_held,
    count(*) FILTER (WHERE monthly_used + monthly_held > monthly_soft_limit) AS above_soft_limit,
    coalesce(sum(unresolved), 0)::bigint AS unresolved
  FROM report
)
SELECT
  period.year, period.month,
  totals.users, totals.annual_budget, totals.generation, totals.regeneration, totals.refund,
  totals.held, totals.monthly_used, totals.monthly_held, totals.above_soft_limit, totals.unresolved,
  page.user_id, page.figure,
  page.annual_budget, page.monthly_soft_limit,
  page.generation, page.regeneration, page.refund, page.held, page.monthly_used, page.monthly_held,
  page.unresolved
FROM period
CROSS JOIN totals
LEFT JOIN LATERAL (
  SELECT * FROM report
  WHERE $9 IS NULL OR (figure, user_id) > ($9, $10)
  ORDER BY figure, user_id
  LIMIT $11
) AS page ON true
ORDER BY page.figure, page.user_id
