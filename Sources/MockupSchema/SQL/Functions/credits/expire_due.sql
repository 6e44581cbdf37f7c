-- Expires, for each user p_user_ids[i] and year p_years[i], the reservations that are due at p_now,
-- by the rules of mockupd.as_of(). Returns their number, and sets due_at in the counters to the
-- next expiry.
--
-- The engine calls this function before each change of a user's credits, so expiry does not depend
-- on the sweeper. The caller has locked the counters of these users and years, so no other session
-- changes them.
CREATE OR REPLACE FUNCTION mockupd.expire_due(
  p_now timestamptz, p_user_ids uuid[], p_years integer[]
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET random_page_cost = 0.01
AS $$
DECLARE
  v_due record;
  v_count bigint := 0;
BEGIN
  FOR v_due IN
    WITH open AS MATERIALIZED (
      SELECT c.user_id, c.year, r.id, r.month, r.state, r.expires_at, r.expires_at <= p_now AS due,
        CASE WHEN r.state = 'held' THEN r.held ELSE 0 END AS freed
      FROM unnest(p_user_ids, p_years) AS i (user_id, year)
      JOIN mockupd.credit_counters AS c ON c.user_id = i.user_id AND c.year = i.year
      -- Most of these years have no open reservation. c.open > 0 avoids the call for them.
      LEFT JOIN LATERAL (
        SELECT r.* FROM mockupd.open_reservations(c.user_id, c.year, c.open) AS r WHERE c.open > 0
      ) AS r ON true
    ), changed AS (
      UPDATE mockupd.reservations AS r
      SET state = CASE open.state WHEN 'held' THEN 'expired' ELSE 'unresolved' END,
        held = r.held - open.freed,
        settled_at = CASE open.state WHEN 'held' THEN r.expires_at END
      FROM open
      WHERE open.due AND r.user_id = open.user_id AND r.id = open.id
    )
    -- A year without open reservations has one row here, whose month is null.
    SELECT user_id, year, coalesce(month, 1) AS month,
      count(*) FILTER (WHERE due) AS count,
      count(*) FILTER (WHERE due AND state = 'dispatched') AS unresolved,
      coalesce(sum(freed) FILTER (WHERE due), 0) AS freed,
      coalesce(
        min(min(expires_at) FILTER (WHERE NOT due)) OVER (PARTITION BY user_id, year),
        'infinity') AS due_at
    FROM open
    GROUP BY user_id, year, month
  LOOP
    v_count := v_count + v_due.count;
    UPDATE mockupd.credit_counters AS c
    SET held = c.held - v_due.freed,
      month_held[v_due.month] = c.month_held[v_due.month] - v_due.freed,
      open = c.open - v_due.count, unresolved = c.unresolved + v_due.unresolved,
      due_at = v_due.due_at,
      -- See mockupd.alert_thresholds().
      year_level = width_bucket(
        100 * (c.generation + c.regeneration - c.refund + c.held - v_due.freed)::float8
          / greatest(budget.annual, 1), mockupd.alert_thresholds()),
      month_levels[v_due.month] = width_bucket(
        100 * (c.month_used[v_due.month] + c.month_held[v_due.month] - v_due.freed)::float8
          / greatest(budget.monthly, 1), mockupd.alert_thresholds())
    FROM (
      SELECT coalesce(min(b.annual), mockupd.default_annual_budget()) AS annual,
        coalesce(min(b.monthly), mockupd.default_soft_limit()) AS monthly
      FROM mockupd.user_budgets AS b WHERE b.user_id = v_due.user_id
    ) AS budget
    WHERE c.user_id = v_due.user_id AND c.year = v_due.year;
  END LOOP;
  RETURN v_count;
END
$$;

REVOKE ALL ON FUNCTION mockupd.expire_due
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
