-- Returns a user's credits in each day of a range. Days are in UTC, and numbered from 1 January
-- 1970, which is 0.
--
-- An entry belongs to the day on which it was written, but never to another year than the one that
-- it is charged to. So the days of a year add up to the year's counters. The index
-- (user_id, year, month) serves the ledger: one on created_at would cost every commit.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      the first day   $4 integer  the last day
WITH ledger AS (
  SELECT
    greatest(
      least((created_at AT TIME ZONE 'UTC')::date, make_date(year, 12, 31)),
      make_date(year, 1, 1)) - date '1970-01-01' AS number,
    sum(credits) FILTER (WHERE operation = 'generation') AS generation,
    sum(credits) FILTER (WHERE operation = 'regeneration') AS regeneration,
    sum(credits) FILTER (WHERE operation = 'refund') AS refund
  FROM public.mockup_credit_usage
  WHERE user_id = $2
    AND year BETWEEN extract(year FROM date '1970-01-01' + $3::integer)::integer
      AND extract(year FROM date '1970-01-01' + $4::integer)::integer
  GROUP BY 1
), made AS (
  SELECT
    (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS number,
    sum(granted) AS reserved,
    sum(granted - (committed - overrun)
      - CASE WHEN state = 'held' AND expires_at <= coalesce($1, now()) THEN 0
        ELSE held END) AS released
  FROM mockupd.reservations
  WHERE user_id = $2 AND created_at > '-infinity' -- the condition of the index
    AND created_at >= (date '1970-01-01' + $3::integer)::timestamp AT TIME ZONE 'UTC'
    AND created_at < (date '1970-01-01' + $4::integer + 1)::timestamp AT TIME ZONE 'UTC'
  GROUP BY 1
)
SELECT
  number,
  coalesce(ledger.generation, 0)::bigint, coalesce(ledger.regeneration, 0)::bigint,
  coalesce(ledger.refund, 0)::bigint,
  coalesce(made.reserved, 0)::bigint, coalesce(made.released, 0)::bigint
FROM generate_series($3::integer, $4::integer) AS day (number)
LEFT JOIN ledger USING (number)
LEFT JOIN made USING (number)
ORDER BY number
