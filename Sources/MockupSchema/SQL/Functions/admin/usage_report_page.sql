-- Returns a page of mockupd.usage_report at p_now (null: at the time of the database), after a row
-- with the totals over all users that match the filter. The row of totals has no user, and comes
-- first. A null year or month is the current one.
--
-- p_order is 'used', 'held', 'available' or 'monthly_used', and any other value sorts by the user's
-- id. The sort key is the column figure, negated if the highest number comes first. Users with the
-- same figure are sorted by id. p_after_figure and p_after_user_id are those of the previous page's
-- last user, or null.
CREATE OR REPLACE FUNCTION mockupd.usage_report_page(
  p_now timestamptz,
  p_year integer,
  p_month integer,
  p_user_id uuid,
  p_active_only boolean,
  p_soft_limit_passed_only boolean,
  p_available_at_most bigint,
  p_order text,
  p_after_figure bigint,
  p_after_user_id uuid,
  p_limit bigint
) RETURNS TABLE (
  year integer,
  month integer,
  user_id uuid,
  user_label text,
  figure bigint,
  -- The number of users, and of those above their soft limit. Null for a user.
  users bigint,
  users_above_soft_limit bigint,
  annual_budget bigint,
  -- Null for the totals.
  monthly_soft_limit integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  held bigint,
  monthly_used bigint,
  monthly_held bigint,
  unresolved bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_year integer;
  v_month integer;
BEGIN
  p_now := coalesce(p_now, now());
  v_year := coalesce(p_year, extract(year FROM p_now AT TIME ZONE 'UTC')::integer);
  v_month := coalesce(p_month, extract(month FROM p_now AT TIME ZONE 'UTC')::integer);
  RETURN QUERY
  WITH report AS MATERIALIZED (
    SELECT r.*,
      CASE p_order
        WHEN 'used' THEN -(generation + regeneration - refund)
        WHEN 'held' THEN -held
        WHEN 'available' THEN annual_budget - (generation + regeneration - refund) - held
        WHEN 'monthly_used' THEN -monthly_used
        ELSE 0
      END AS figure
    FROM mockupd.usage_report(
      p_now, v_year, v_month, p_user_id, p_active_only, p_soft_limit_passed_only,
      p_available_at_most) AS r
  ), page AS (
    SELECT * FROM report
    WHERE p_after_figure IS NULL OR (figure, user_id) > (p_after_figure, p_after_user_id)
    ORDER BY figure, user_id
    LIMIT p_limit
  )
  (SELECT
    v_year, v_month, NULL::uuid, NULL::text, NULL::bigint,
    count(*), count(*) FILTER (WHERE monthly_used + monthly_held > monthly_soft_limit),
    coalesce(sum(annual_budget), 0)::bigint,
    NULL::integer,
    coalesce(sum(generation), 0)::bigint,
    coalesce(sum(regeneration), 0)::bigint,
    coalesce(sum(refund), 0)::bigint,
    coalesce(sum(held), 0)::bigint,
    coalesce(sum(monthly_used), 0)::bigint,
    coalesce(sum(monthly_held), 0)::bigint,
    coalesce(sum(unresolved), 0)::bigint
  FROM report)
  UNION ALL
  (SELECT
    v_year, v_month, user_id, mockupd.user_label(user_id), figure, NULL, NULL,
    annual_budget::bigint, monthly_soft_limit, generation, regeneration, refund, held,
    monthly_used, monthly_held, unresolved::bigint
  FROM page
  ORDER BY figure, user_id);
END
$$;

REVOKE ALL ON FUNCTION mockupd.usage_report_page
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.usage_report_page TO mockupd_service;
