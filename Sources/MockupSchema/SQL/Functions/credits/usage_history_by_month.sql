-- Returns a user's credits in each month of a range, at p_now (null: at the time of the database).
-- Months are in UTC, and numbered by year * 12 + month - 1.
--
-- An entry belongs to the month that it is charged to, as in the counters.
CREATE OR REPLACE FUNCTION mockupd.usage_history_by_month(
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
      year * 12 + month - 1 AS number,
      sum(credits) FILTER (WHERE operation = 'generation') AS generation,
      sum(credits) FILTER (WHERE operation = 'regeneration') AS regeneration,
      sum(credits) FILTER (WHERE operation = 'refund') AS refund
    FROM public.mockup_credit_usage
    WHERE user_id = p_user_id
      AND (year, month) >= (p_first / 12, p_first % 12 + 1)
      AND (year, month) <= (p_last / 12, p_last % 12 + 1)
    GROUP BY 1
  ), made AS (
    SELECT
      year * 12 + month - 1 AS number,
      sum(granted) AS reserved,
      sum(granted - (committed - overrun)
        - CASE WHEN state = 'held' AND expires_at <= coalesce(p_now, now()) THEN 0 ELSE held END)
        AS released
    FROM mockupd.reservations
    WHERE user_id = p_user_id AND created_at > '-infinity' -- the condition of the index
      -- The month of a reservation is that of its creation.
      AND created_at >= make_date(p_first / 12, p_first % 12 + 1, 1)::timestamp
        AT TIME ZONE 'UTC'
      AND created_at < (make_date(p_last / 12, p_last % 12 + 1, 1) + interval '1 month')
        AT TIME ZONE 'UTC'
    GROUP BY 1
  )
  SELECT
    number,
    coalesce(ledger.generation, 0)::bigint, coalesce(ledger.regeneration, 0)::bigint,
    coalesce(ledger.refund, 0)::bigint,
    coalesce(made.reserved, 0)::bigint, coalesce(made.released, 0)::bigint
  FROM generate_series(p_first, p_last) AS month (number)
  LEFT JOIN ledger USING (number)
  LEFT JOIN made USING (number)
  ORDER BY number;
END
$$;

REVOKE ALL ON FUNCTION mockupd.usage_history_by_month
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.usage_history_by_month TO mockupd_service;
