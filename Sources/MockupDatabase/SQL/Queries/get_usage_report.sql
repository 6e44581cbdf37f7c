-- Returns a page of the credits of all users. Each row also has the totals over all users that
-- match the filter. An empty page has one row without a user.
--
-- The sort key is the column figure, negated if the highest number comes first. Users with the same
-- figure are sorted by id.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 integer      year; null: the current year   $3 integer  month; null: the current month
-- $4 uuid         the only user; null: all users
-- $5 boolean      only active users              $6 boolean  only users above their soft limit
-- $7 bigint       maximum of available credits; null: any
-- $8 text         order: 'used', 'held', 'available', 'monthly_used'; any other value: by user id
-- $9 bigint       and $10 uuid: figure and id of the previous page's last user, or null
-- $11 bigint      maximum number of users
WITH period AS (
  SELECT
    clock.now,
    coalesce($2, extract(year FROM clock.now AT TIME ZONE 'UTC')::integer) AS year,
    coalesce($3, extract(month FROM clock.now AT TIME ZONE 'UTC')::integer) AS month
  FROM (SELECT coalesce($1, now()) AS now) AS clock
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
  CROSS JOIN LATERAL mockupd.usage_report(
    period.now, period.year, period.month, $4, $5, $6, $7) AS r
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
  page.unresolved, mockupd.user_label(page.user_id) AS user_label
FROM period
CROSS JOIN totals
LEFT JOIN LATERAL (
  SELECT * FROM report
  WHERE $9 IS NULL OR (figure, user_id) > ($9, $10)
  ORDER BY figure, user_id
  LIMIT $11
) AS page ON true
ORDER BY page.figure, page.user_id
