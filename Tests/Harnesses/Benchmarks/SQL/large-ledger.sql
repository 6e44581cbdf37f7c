-- A ledger of :entries rows, each with its committed reservation: 100 000 of user 0, the others
-- spread evenly over the other users. The rows are as the engine leaves them if it spends a credit
-- every ten seconds.
CREATE TEMPORARY TABLE spent AS
SELECT
  user_id, gen_random_uuid() AS id, gen_random_uuid() AS entry_id,
  row_number() OVER (PARTITION BY user_id) AS sequence,
  extract(year FROM now() AT TIME ZONE 'UTC')::integer AS year,
  extract(month FROM now() AT TIME ZONE 'UTC')::integer AS month
FROM (
  SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(
    CASE WHEN i < 100000 THEN 0 ELSE 1 + i % (:users - 1) END), 12, '0'))::uuid AS user_id
  FROM generate_series(0, :entries - 1) AS i
) AS spender;

INSERT INTO mockupd.credit_counters (user_id, year, generation, entries, month_used)
SELECT user_id, year, total, total,
  (SELECT array_agg(CASE m WHEN month THEN total ELSE 0 END ORDER BY m)
    FROM generate_series(1, 12) AS m)
FROM (
  SELECT user_id, year, month, count(*) AS total FROM spent GROUP BY user_id, year, month
) AS spender;

INSERT INTO public.mockup_credit_usage (
  id, user_id, credits, operation, balance_before, balance_after, year, month, created_at, sequence,
  reservation_id, annual_budget)
SELECT entry_id, user_id, 1, 'generation', 2000000001 - sequence, 2000000000 - sequence, year,
  month, now() - (100001 - sequence) * interval '10 seconds', sequence, id, 2000000000
FROM spent;

INSERT INTO mockupd.reservations (
  user_id, id, credits, operation, mode, time_to_live, year, month, state, granted, held, committed,
  commit_id, entry_id, created_at, expires_at, settled_at, reserved_usage, settled_usage)
SELECT user_id, id, 1, 'generation', 'normal', 900, year, month, 'committed', 1, 0, 1,
  id, entry_id, at - interval '5 seconds', at + interval '895 seconds', at,
  ROW(2000000000, 2000000000, sequence - 1, 0, 0, 1, sequence - 1, 1)::mockupd.usage,
  ROW(2000000000, 2000000000, sequence, 0, 0, 0, sequence, 0)::mockupd.usage
FROM spent
CROSS JOIN LATERAL (SELECT now() - (100001 - sequence) * interval '10 seconds') AS settled (at);

VACUUM ANALYZE;
