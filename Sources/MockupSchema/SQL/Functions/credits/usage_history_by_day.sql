-- Returns a user's credits in each day of a range, at p_now (null: at the time of the database).
-- Days are in UTC, and numbered from 1 January 1970, which is 0.
--
-- An entry belongs to the day on which it was written, but never to another year than the one that
-- it is charged to. So the days of a year add up to the year's counters. The index
-- (user_id, year, month) serves the ledger: one on created_at would cost every commit.
CREATE OR REPLACE FUNCTION mockupd.usage_history_by_day(
  p_now timestamptz, p_user_id uuid, p_first integer, p_last integer
) RETURNS TABLE (
  number integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  reserved bigint,
  released bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH ledger AS (
    SELECT
      greatest(
        least((created_at AT TIME ZONE 'UTC')::date, make_date(year, 12, 31)),
        make_date(year, 1, 1)) - date '1970-01-01' AS number,
      sum(credits) FILTER (WHERE operation = 'generation') AS generation,
      sum(credits) FILTER (WHERE operation = 'regeneration') AS regeneration,
      sum(credits) FILTER (WHERE operation = 'refund') AS refund
    FROM public.mockup_credit_usage
    WHERE user_id = p_user_id
      AND year BETWEEN extract(year FROM date '1970-01-01' + p_first)::integer
        AND extract(year FROM date '1970-01-01' + p_last)::integer
    GROUP BY 1
  ), made AS (
    SELECT
      (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS number,
      sum(granted) AS reserved,
      sum(granted - (committed - overrun)
        - CASE WHEN state = 'held' AND expires_at <= coalesce(p_now, now()) THEN 0 ELSE held END)
        AS released
    FROM mockupd.reservations
    WHERE user_id = p_user_id AND created_at > '-infinity' -- the condition of the index
      AND created_at >= (date '1970-01-01' + p_first)::timestamp AT TIME ZONE 'UTC'
      AND created_at < (date '1970-01-01' + p_last + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1
  )
  SELECT
    number,
    coalesce(ledger.generation, 0)::bigint, coalesce(ledger.regeneration, 0)::bigint,
    coalesce(ledger.refund, 0)::bigint,
    coalesce(made.reserved, 0)::bigint, coalesce(made.released, 0)::bigint
  FROM generate_series(p_first, p_last) AS day (number)
  LEFT JOIN ledger USING (number)
  LEFT JOIN made USING (number)
  ORDER BY number;
END
$$;

REVOKE ALL ON FUNCTION mockupd.usage_history_by_day
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.usage_history_by_day TO mockupd_service;
