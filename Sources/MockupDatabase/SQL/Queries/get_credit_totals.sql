-- Returns the totals of the current year and the work that waits. See mockupd.credit_totals.
--
-- $1 timestamptz  now; null: the time of the database
SELECT
  users, annual_budget, used, held, users_above_soft_limit, users_exhausted,
  open_reservations, unresolved_reservations, oldest_unresolved_at,
  pending_mockups, oldest_pending_at, leased_mockups, read_at
FROM mockupd.credit_totals($1)
