-- Reserves p_credits[i] credits for the user p_user_ids[i] under the id p_ids[i]. The requests are
-- decided in the order of the arrays. They belong to the year and month of p_now; if it is null,
-- the time is that of the database when the counters are locked.
--
-- A request is granted all of its credits, or none if fewer are available. In the mode best_effort,
-- it is granted as many as are available. Returns one row for each request, in no particular order:
--
--   admitted, refused      with the credits granted (0 if refused), the time, and the usage after
--                          the request. If the id was used before, replayed is true, and the row is
--                          that of the first answer
--   conflicting_FIELD      the id was used before with a different FIELD
--   unknown_user           the user does not exist
--   unknown_mockup         the mockup does not exist, or belongs to another user
CREATE OR REPLACE FUNCTION mockupd.reserve(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_credits integer[],
  p_operations text[],
  p_times_to_live integer[],
  p_mockup_ids uuid[],
  p_group_ids uuid[],
  p_modes text[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  granted integer,
  reserved_at timestamptz,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM coalesce(p_now, clock_timestamp()) AT TIME ZONE 'UTC');
  v_month integer;
  v_counters mockupd.credit_counters[];
  v_decides boolean[];
BEGIN
  PERFORM mockupd.make_counters(p_user_ids, v_year);
  SELECT l.p_now, l.counters INTO p_now, v_counters
  FROM mockupd.lock_counters(p_now, p_user_ids, ARRAY[v_year]) AS l;
  -- The function is called only if it fails, since a call costs more than the comparison.
  IF extract(year FROM p_now AT TIME ZONE 'UTC') <> v_year THEN
    PERFORM mockupd.require_year(p_now, v_year);
  END IF;
  v_month := extract(month FROM p_now AT TIME ZONE 'UTC');

  -- If several requests have the same new id, the first one whose mockup is known is decided.
  -- Users that were added after the lock count as unknown.
  --
  -- The scalar subqueries make PostgreSQL look up each row by its key. For a join, it might choose
  -- another plan.
  SELECT array_agg(i.is_possible AND i.attempt = 1 ORDER BY i.ordinal) INTO v_decides
  FROM (
    SELECT i.ordinal, i.is_possible,
      row_number() OVER (PARTITION BY i.user_id, i.id, i.is_possible ORDER BY i.ordinal) AS attempt
    FROM (
      SELECT i.*,
        i.user_id IN (SELECT c.user_id FROM unnest(v_counters) AS c)
        AND (
          SELECT r.id FROM mockupd.reservations AS r WHERE r.user_id = i.user_id AND r.id = i.id
        ) IS NULL
        AND (i.mockup_id IS NULL OR (
          SELECT m.id FROM public.mockups AS m WHERE m.id = i.mockup_id AND m.user_id = i.user_id
        ) IS NOT NULL) AS is_possible
      FROM unnest(p_user_ids, p_ids, p_mockup_ids) WITH ORDINALITY
        AS i (user_id, id, mockup_id, ordinal)
      OFFSET 0
    ) AS i
  ) AS i;

  RETURN QUERY
  WITH account AS (
    SELECT c.*, c.month_used[v_month] AS monthly_used, c.month_held[v_month] AS monthly_held,
      coalesce(b.annual, mockupd.default_annual_budget()) AS annual,
      coalesce(b.monthly, mockupd.default_soft_limit()) AS monthly,
      coalesce(b.annual, mockupd.default_annual_budget())
        - (c.generation + c.regeneration - c.refund) - c.held AS available
    FROM unnest(v_counters) AS c
    LEFT JOIN LATERAL (
      SELECT b.annual, b.monthly FROM mockupd.user_budgets AS b WHERE b.user_id = c.user_id LIMIT 1
    ) AS b ON true
  ), decision AS MATERIALIZED (
    SELECT i.*, p_now + make_interval(secs => i.time_to_live) AS expires_at,
      ROW(
        i.annual, i.monthly, i.generation, i.regeneration, i.refund, i.held + i.drawn + i.granted,
        i.monthly_used, i.monthly_held + i.drawn + i.granted)::mockupd.usage AS usage
    FROM (
      SELECT i.*,
        CASE WHEN i.asked <= i.available THEN i.credits
          ELSE mockupd.draw(i.drawn, i.available, i.credits, i.mode = 'best_effort') - i.drawn
        END AS granted
      FROM (
        -- The credits that the user's earlier requests draw: a plain sum if enough credits are
        -- available for all of the user's requests.
        SELECT i.*,
          coalesce(
            CASE WHEN i.asked <= i.available THEN sum(i.credits) OVER before
              ELSE mockupd.drawn(i.available, i.credits, i.mode = 'best_effort')
                FILTER (WHERE i.asked > i.available) OVER before END,
            0) AS drawn
        FROM (
          SELECT i.*, sum(i.credits) OVER (PARTITION BY i.user_id) AS asked,
            a.annual, a.monthly, a.generation, a.regeneration, a.refund, a.held, a.monthly_used,
            a.monthly_held, a.available
          FROM unnest(
            p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids, p_group_ids,
            p_modes, v_decides)
            WITH ORDINALITY
            AS i (user_id, id, credits, operation, time_to_live, mockup_id, group_id, mode, decides,
              ordinal)
          JOIN account AS a ON a.user_id = i.user_id
          WHERE i.decides
        ) AS i
        WINDOW before AS (
          PARTITION BY i.user_id ORDER BY i.ordinal
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
      ) AS i
      OFFSET 0
    ) AS i
  ), made AS (
    INSERT INTO mockupd.reservations (
      user_id, id, credits, operation, mode, time_to_live, mockup_id, group_id, year, month,
      state, granted, held, created_at, expires_at, settled_at, reserved_usage)
    SELECT
      d.user_id, d.id, d.credits, d.operation, d.mode, d.time_to_live, d.mockup_id, d.group_id,
      v_year, v_month, CASE WHEN d.granted > 0 THEN 'held' ELSE 'refused' END,
      d.granted, d.granted, p_now, d.expires_at, CASE WHEN d.granted = 0 THEN p_now END, d.usage
    FROM decision AS d
  ), counted AS (
    UPDATE mockupd.credit_counters AS c
    SET held = c.held + asked.credits,
      month_held[v_month] = c.month_held[v_month] + asked.credits,
      open = c.open + asked.reservations,
      due_at = least(c.due_at, asked.due_at),
      -- See mockupd.alert_thresholds().
      year_level = width_bucket(
        100 * (c.generation + c.regeneration - c.refund + c.held + asked.credits)::float8
          / greatest(asked.annual, 1), mockupd.alert_thresholds()),
      month_levels[v_month] = width_bucket(
        100 * (c.month_used[v_month] + c.month_held[v_month] + asked.credits)::float8
          / greatest(asked.monthly, 1), mockupd.alert_thresholds())
    FROM (
      SELECT d.user_id, sum(d.granted) AS credits, count(*) AS reservations,
        min(d.expires_at) AS due_at, min(d.annual) AS annual, min(d.monthly) AS monthly
      FROM decision AS d
      WHERE d.granted > 0
      GROUP BY d.user_id
    ) AS asked
    WHERE c.user_id = asked.user_id AND c.year = v_year
  )
  SELECT d.ordinal, CASE WHEN d.granted > 0 THEN 'admitted' ELSE 'refused' END, false,
    d.granted::integer, p_now, d.usage
  FROM decision AS d;

  -- The other requests are answered from the reservations that were made under their ids.
  IF false = ANY (v_decides) THEN
    RETURN QUERY
    SELECT
      i.ordinal,
      CASE
        WHEN i.user_id NOT IN (SELECT c.user_id FROM unnest(v_counters) AS c) THEN 'unknown_user'
        WHEN r.id IS NULL OR i.ordinal < decided.ordinal THEN 'unknown_mockup'
        WHEN r.credits <> i.credits THEN 'conflicting_credits'
        WHEN r.operation <> i.operation THEN 'conflicting_operation'
        WHEN r.time_to_live <> i.time_to_live THEN 'conflicting_time_to_live'
        WHEN r.mockup_id IS DISTINCT FROM i.mockup_id THEN 'conflicting_mockup_id'
        WHEN r.group_id IS DISTINCT FROM i.group_id THEN 'conflicting_group_id'
        WHEN r.mode <> i.mode THEN 'conflicting_mode'
        WHEN r.state = 'refused' THEN 'refused'
        ELSE 'admitted'
      END,
      coalesce(i.ordinal > decided.ordinal, r.id IS NOT NULL), r.granted, r.created_at,
      r.reserved_usage
    FROM unnest(
      p_user_ids, p_ids, p_credits, p_operations, p_times_to_live, p_mockup_ids, p_group_ids,
      p_modes, v_decides)
      WITH ORDINALITY
      AS i (user_id, id, credits, operation, time_to_live, mockup_id, group_id, mode, decides,
        ordinal)
    LEFT JOIN unnest(p_user_ids, p_ids, v_decides) WITH ORDINALITY
      AS decided (user_id, id, decides, ordinal)
      ON decided.user_id = i.user_id AND decided.id = i.id AND decided.decides
    LEFT JOIN mockupd.reservations AS r ON r.user_id = i.user_id AND r.id = i.id
    WHERE NOT i.decides;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.reserve
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.reserve TO mockupd_service;
