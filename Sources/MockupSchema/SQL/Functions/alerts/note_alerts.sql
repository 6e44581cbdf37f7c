-- Writes an alert for each threshold that a user's credits have reached with a change of the
-- counters, and notifies the watches of alerts.
--
-- The counters have the number of thresholds that were reached before and after the change. So a
-- threshold has one alert until the credits have fallen below it.
--
-- The ids are assigned under the lock on the row of mockupd.alert_feed, which is held until the
-- transaction ends. So alerts become visible in the order of their ids, and a reader who has seen
-- one has missed no earlier one. The lock is taken after those on counters, and before none on
-- counters.
CREATE OR REPLACE FUNCTION mockupd.note_alerts()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_annual integer;
  v_monthly integer;
BEGIN
  SELECT coalesce(min(b.annual), mockupd.default_annual_budget()),
    coalesce(min(b.monthly), mockupd.default_soft_limit())
  INTO v_annual, v_monthly
  FROM mockupd.user_budgets AS b WHERE b.user_id = NEW.user_id;

  WITH reached AS MATERIALIZED (
    SELECT period.month, t.threshold, period.credits, period.credit_limit,
      row_number() OVER (ORDER BY period.month NULLS FIRST, t.threshold) AS place
    FROM (
      SELECT NULL::integer AS month, OLD.year_level AS before, NEW.year_level AS after,
        NEW.generation + NEW.regeneration - NEW.refund + NEW.held AS credits,
        v_annual AS credit_limit
      UNION ALL
      SELECT m.month, OLD.month_levels[m.month], NEW.month_levels[m.month],
        NEW.month_used[m.month] + NEW.month_held[m.month], v_monthly
      FROM generate_series(1, 12) AS m (month)
    ) AS period
    JOIN unnest(mockupd.alert_thresholds()) WITH ORDINALITY AS t (threshold, level)
      ON t.level > period.before AND t.level <= period.after
  ), feed AS (
    UPDATE mockupd.alert_feed AS f
    SET last_id = f.last_id + (SELECT count(*) FROM reached)
    -- By the index, since scans of the table are disabled above.
    WHERE f.is_only AND EXISTS (SELECT FROM reached)
    RETURNING f.last_id - (SELECT count(*) FROM reached) AS previous_id
  )
  INSERT INTO mockupd.alerts (
    id, user_id, threshold, year, month, credits, credit_limit, created_at)
  SELECT feed.previous_id + r.place, NEW.user_id, r.threshold, NEW.year, r.month, r.credits,
    -- Another program may have raised the limit since the statement has read it. The threshold was
    -- reached under a limit of at most this.
    least(r.credit_limit, r.credits::bigint * 100 / r.threshold)::integer, clock_timestamp()
  FROM feed CROSS JOIN reached AS r;
  IF FOUND THEN
    PERFORM pg_notify('mockupd_alerts', '');
  END IF;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.note_alerts
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
