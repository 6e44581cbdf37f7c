-- Makes a batch of reservations. See mockupd.reserve for the outcomes. To make all of them or none,
-- the same statement calls mockupd.reserve_all.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]       users                      $3 uuid[]  reservation ids
-- $4 integer[]    credits                    $5 text[]  operations
-- $6 integer[]    times to live in seconds   $7 uuid[]  mockups; null: none
-- $8 uuid[]       groups; null: none         $9 text[]  modes
SELECT
  ordinal, outcome, replayed, granted, reserved_at,
  extract(year FROM reserved_at AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM reserved_at AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.reserve($1, $2, $3, $4, $5, $6, $7, $8, $9)
ORDER BY ordinal
