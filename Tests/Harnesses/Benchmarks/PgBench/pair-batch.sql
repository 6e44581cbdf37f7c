-- :batch reservations for users chosen at random among :users, in one call of mockupd's statement
-- reserve_credits.sql, and then the commits of all of them in one call of settle_reservations.sql.
-- A separate statement makes the ids.
--
--   pgbench -n -M prepared -f pair-batch.sql -D users=1000 -D batch=64 -c 2 -j 2 -T 10 URL
SELECT
  array_agg(
    ('00000000-0000-4000-8000-'
      || lpad(to_hex(floor(random() * :users::integer)::bigint), 12, '0'))::uuid) AS batch_users,
  array_agg(gen_random_uuid()) AS ids, array_agg(gen_random_uuid()) AS commits,
  array_agg(gen_random_uuid()) AS entries
FROM generate_series(1, :batch::integer)
\gset
SELECT
  ordinal, outcome, replayed, granted, reserved_at,
  extract(year FROM reserved_at AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM reserved_at AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.reserve(
  now(), :batch_users::uuid[], :ids::uuid[],
  array_fill(1, ARRAY[:batch::integer]), array_fill('generation'::text, ARRAY[:batch::integer]),
  array_fill(900, ARRAY[:batch::integer]), array_fill(NULL::uuid, ARRAY[:batch::integer]),
  array_fill(NULL::uuid, ARRAY[:batch::integer]),
  array_fill('normal'::text, ARRAY[:batch::integer]))
ORDER BY ordinal;
SELECT
  ordinal, outcome, replayed,
  (reservation).user_id, (reservation).id, (reservation).state,
  (reservation).credits, (reservation).granted, (reservation).held, (reservation).committed,
  (reservation).overrun AS reservation_overrun, (reservation).operation,
  (reservation).year, (reservation).month,
  (reservation).created_at, (reservation).expires_at, (reservation).dispatched_at,
  (reservation).settled_at, (reservation).mockup_id, (reservation).group_id,
  (reservation).commit_id, (reservation).late AS reservation_late,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held AS usage_held,
  (usage).monthly_used, (usage).monthly_held,
  charged, overrun, released, late
FROM mockupd.settle(
  now(), :batch_users::uuid[], :ids::uuid[],
  array_fill('commit'::text, ARRAY[:batch::integer]), :commits::uuid[],
  array_fill(NULL::integer, ARRAY[:batch::integer]), array_fill(true, ARRAY[:batch::integer]),
  array_fill(false, ARRAY[:batch::integer]), array_fill(NULL::integer, ARRAY[:batch::integer]),
  :entries::uuid[])
ORDER BY ordinal;
