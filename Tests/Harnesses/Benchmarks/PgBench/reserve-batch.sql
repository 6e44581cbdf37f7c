-- :batch reservations for users chosen at random among :users, in one call of mockupd's statement
-- reserve_credits.sql. Making the arrays takes 0.7 ms for 512, most of it for the random ids.
--
--   pgbench -n -M prepared -f reserve-batch.sql -D users=1000 -D batch=512 -c 2 -j 2 -T 10 URL
SELECT
  ordinal, outcome, replayed, granted, reserved_at,
  extract(year FROM reserved_at AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM reserved_at AT TIME ZONE 'UTC')::integer AS month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM
  (
    SELECT
      array_agg(
        ('00000000-0000-4000-8000-'
          || lpad(to_hex(floor(random() * :users::integer)::bigint), 12, '0'))::uuid) AS users,
      array_agg(gen_random_uuid()) AS ids
    FROM generate_series(1, :batch::integer)
  ) AS batch
  CROSS JOIN mockupd.reserve(
    now(), batch.users, batch.ids,
    array_fill(1, ARRAY[:batch::integer]), array_fill('generation'::text, ARRAY[:batch::integer]),
    array_fill(900, ARRAY[:batch::integer]), array_fill(NULL::uuid, ARRAY[:batch::integer]),
    array_fill(NULL::uuid, ARRAY[:batch::integer]),
    array_fill('normal'::text, ARRAY[:batch::integer]))
ORDER BY ordinal;
