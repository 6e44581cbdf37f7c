-- Returns a user's credits in each month of a range. Months are in UTC, and numbered by
-- year * 12 + month - 1.
--
-- An entry belongs to the month that it is charged to, as in the counters.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user
-- $3 integer      the first month   $4 integer  the last month
WITH ledger AS (
  SELECT
    year * 12 + month - 1 AS number,
    sum(credits) FILTER (WHERE operation = 'generation') AS generation,
    sum(credits) FILTER (WHERE operation = 'regeneration') AS regeneration,
    sum(credits) FILTER (WHERE operation = 'refund') AS refund
  FROM public.mockup_credit_usage
  WHERE user_id = $2
    AND (year, month) >= ($3::integer / 12, $3::integer % 12 + 1)
    AND (year, month) <= ($4::integer / 12, $4::integer % 12 + 1)
  GROUP BY 1
), made AS (
  SELECT
    year * 12 + month - 1 AS number,
    sum(granted) AS reserved,
    sum(granted - (committed - overrun)
      - CASE WHEN state = 'held' AND expires_at <= coalesce($1, now()) THEN 0
        ELSE held END) AS released
  FROM mockupd.reservations
  WHERE user_id = $2 AND created_at > '-infinity' -- the condition of the index
    -- The month of a reservation is that of its creation.
    AND created_at >= make_date($3::integer / 12, $3::integer % 12 + 1, 1)::timestamp
      AT TIME ZONE 'UTC'
    AND created_at < (make_date($4::integer / 12, $4::integer % 12 + 1, 1) + interval '1 month')
      AT TIME ZONE 'UTC'
  GROUP BY 1
)
SELECT
  number,
  coalesce(ledger.generation, 0)::bigint, coalesce(ledger.regeneration, 0)::bigint,
  coalesce(ledger.refund, 0)::bigint,
  coalesce(made.reserved, 0)::bigint, coalesce(made.released, 0)::bigint
FROM generate_series($3::integer, $4::integer) AS month (number)
LEFT JOIN ledger USING (number)
LEFT JOIN made USING (number)
ORDER BY number
