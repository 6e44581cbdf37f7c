-- Releases a group of reservations; no row if the user has no such group. See
-- mockupd.release_group.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 uuid         group
SELECT
  known, reservations, released, replayed, year, month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.release_group($1, $2, $3)
WHERE known
