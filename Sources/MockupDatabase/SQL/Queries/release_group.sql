-- Releases a group of reservations; no row if the user has no such group. See
-- mockupd.release_group.
--
-- $1 timestamptz  now
-- $2 uuid         user
-- $3 uuid         group
SELECT
  known, reservations, released, replayed,
  extract(year FROM $1 AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM $1 AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.release_group($1, $2, $3)
WHERE known
