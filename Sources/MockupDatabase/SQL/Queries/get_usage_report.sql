-- Returns a page of the usage report. Each row also has the totals over all users that match the
-- filter. An empty page has one row without a user.
--
-- The sort key is the column figure, negated for descending orders. Users with the same figure are
-- sorted by id.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 integer      year; null: the current year   $3 integer  month; null: the current month
-- $4 uuid         the only user; null: all users
-- $5 boolean      only active users              $6 boolean  only users above their soft limit
-- $7 bigint       maximum of available credits; null: any
-- $8 text         order: 'used', 'held', 'available', 'monthly_used'; any other value: by user id
-- $9 bigint       figure of the previous page's last user, or null
-- $10 uuid        id of the previous page's last user, or null
-- $11 bigint      maximum number of users
WITH report AS (
  SELECT * FROM mockupd.usage_report_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
)
SELECT
  totals.year, totals.month,
  totals.users, totals.annual_budget, totals.generation, totals.regeneration, totals.refund,
  totals.held, totals.monthly_used, totals.monthly_held, totals.users_above_soft_limit,
  totals.unresolved,
  page.user_id, page.figure,
  page.annual_budget::integer, page.monthly_soft_limit,
  page.generation, page.regeneration, page.refund, page.held, page.monthly_used, page.monthly_held,
  page.unresolved::integer, page.user_label
FROM report AS totals
LEFT JOIN report AS page ON page.user_id IS NOT NULL
WHERE totals.user_id IS NULL
ORDER BY page.figure, page.user_id
