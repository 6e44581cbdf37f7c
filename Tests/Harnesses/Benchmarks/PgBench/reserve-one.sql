-- One reservation by mockupd's statement (reserve_credits.sql).
--
--   pgbench -n -M prepared -f reserve-one.sql -D users=1000 -c 1 -T 10 URL
\set user random(0, :users - 1)
SELECT
  ordinal, outcome, replayed, granted, reserved_at,
  extract(year FROM reserved_at AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM reserved_at AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.reserve(
  now(),
  ARRAY[('00000000-0000-4000-8000-' || lpad(to_hex(:user::bigint), 12, '0'))::uuid],
  ARRAY[gen_random_uuid()],
  ARRAY[1], ARRAY['generation'], ARRAY[900], ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal'])
ORDER BY ordinal;
