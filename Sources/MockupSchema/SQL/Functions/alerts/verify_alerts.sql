-- Returns a row for each threshold of one user, or of all users if p_user_id is null, that the
-- counters record as reached and that has no alert, and for each alert whose credits are not what
-- its threshold says.
CREATE OR REPLACE FUNCTION mockupd.verify_alerts(p_user_id uuid)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT c.user_id, c.year,
    format('%s %% of the %s: reached, but there is no alert', t.threshold,
      coalesce('soft limit in month ' || p.month, 'annual budget'))
  FROM mockupd.credit_counters AS c
  CROSS JOIN LATERAL (
    SELECT NULL::integer AS month, c.year_level AS level
    UNION ALL
    SELECT m.month::integer, m.level
    FROM unnest(c.month_levels) WITH ORDINALITY AS m (level, month)
  ) AS p
  JOIN unnest(mockupd.alert_thresholds()) WITH ORDINALITY AS t (threshold, level)
    ON t.level <= p.level
  WHERE (p_user_id IS NULL OR c.user_id = p_user_id)
    AND NOT EXISTS (
      SELECT FROM mockupd.alerts AS a
      WHERE a.user_id = c.user_id AND a.year = c.year AND a.month IS NOT DISTINCT FROM p.month
        AND a.threshold = t.threshold)
  UNION ALL
  SELECT a.user_id, a.year,
    format('alert %s: %s credits are less than %s %% of %s', a.id, a.credits, a.threshold,
      a.credit_limit)
  FROM mockupd.alerts AS a
  WHERE (p_user_id IS NULL OR a.user_id = p_user_id)
    AND a.credits * 100 < a.threshold * a.credit_limit::bigint;
END
$$;

REVOKE ALL ON FUNCTION mockupd.verify_alerts
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
