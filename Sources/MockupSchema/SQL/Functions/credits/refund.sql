-- Refunds p_credits[i] (null: all that are left) of the charge in the ledger row p_charge_ids[i]
-- under the id p_ids[i], in the period of the charge, and writes the ledger row p_entry_ids[i].
-- Returns one row for each request, in order:
--
--   refunded               with the refund's ledger row and the usage after it. If the id was used
--                          before, replayed is true, and the row is that of the first answer
--   conflicting_FIELD      the id was used before with a different FIELD
--   not_found              the user's ledger has no such row
--   not_a_charge           the row is a refund, or its operation is unknown
--   exceeds_charge         fewer credits of the charge are left to refund, or none
--
-- The time of the refunds is p_now, or if it is null the time of the database when the counters are
-- locked.
CREATE OR REPLACE FUNCTION mockupd.refund(
  p_now timestamptz,
  p_user_ids uuid[],
  p_ids uuid[],
  p_charge_ids uuid[],
  p_credits integer[],
  p_entry_ids uuid[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  replayed boolean,
  entry public.mockup_credit_usage,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_found integer[];
  v_years integer[];
  v_request record;
  v_charge public.mockup_credit_usage;
  v_sent mockupd.refunds;
  v_usage mockupd.usage;
  v_left bigint;
  v_credits integer;
  v_balance bigint;
  v_sequence bigint;
  v_now timestamptz;
BEGIN
  -- Ledger rows never change, so their years can be read before the lock. If a charge is missing,
  -- the loop reads again after the lock, as in mockupd.settle(): another session may have written
  -- it meanwhile.
  LOOP
    SELECT array_agg(e.year ORDER BY i.ordinal) INTO v_found
    FROM unnest(p_user_ids, p_charge_ids) WITH ORDINALITY AS i (user_id, charge_id, ordinal)
    LEFT JOIN LATERAL (
      SELECT e.year FROM public.mockup_credit_usage AS e
      WHERE e.id = i.charge_id AND e.user_id = i.user_id
      LIMIT 1
    ) AS e ON true;
    EXIT WHEN v_found IS NOT DISTINCT FROM v_years;
    v_years := v_found;

    SELECT l.p_now INTO v_now FROM mockupd.lock_counters(p_now, p_user_ids, v_years) AS l;
    EXIT WHEN array_position(v_years, NULL) IS NULL;
  END LOOP;

  FOR v_request IN
    SELECT i.*
    FROM unnest(p_user_ids, p_ids, p_charge_ids, p_credits, p_entry_ids, v_years)
      WITH ORDINALITY AS i (user_id, id, charge_id, credits, entry_id, year, ordinal)
    ORDER BY i.ordinal
  LOOP
    ordinal := v_request.ordinal;
    replayed := false;
    entry := NULL;
    usage := NULL;

    SELECT * INTO v_sent FROM mockupd.refunds AS r
    WHERE r.user_id = v_request.user_id AND r.id = v_request.id;
    IF v_sent.id IS NOT NULL THEN
      outcome := CASE
        WHEN v_sent.charge_id <> v_request.charge_id THEN 'conflicting_entry_id'
        WHEN v_sent.credits <> v_request.credits
          OR v_request.credits IS NULL AND NOT v_sent.whole THEN 'conflicting_credits'
        ELSE 'refunded'
      END;
      IF outcome = 'refunded' THEN
        replayed := true;
        SELECT * INTO entry FROM public.mockup_credit_usage AS e
        WHERE e.user_id = v_request.user_id AND e.id = v_sent.entry_id;
        usage := v_sent.usage;
      END IF;
      RETURN NEXT;
      CONTINUE;
    END IF;

    SELECT * INTO v_charge FROM public.mockup_credit_usage AS e
    WHERE e.id = v_request.charge_id AND e.user_id = v_request.user_id
      AND e.year = v_request.year;
    SELECT v_charge.credits - coalesce(sum(r.credits), 0) INTO v_left
    FROM mockupd.refunds AS r
    WHERE r.user_id = v_request.user_id AND r.charge_id = v_request.charge_id;
    outcome := CASE
      WHEN v_charge.id IS NULL THEN 'not_found'
      WHEN v_charge.operation NOT IN ('generation', 'regeneration') THEN 'not_a_charge'
      WHEN v_left < 1 OR v_request.credits > v_left THEN 'exceeds_charge'
      ELSE 'refunded'
    END;
    IF outcome <> 'refunded' THEN
      RETURN NEXT;
      CONTINUE;
    END IF;
    v_credits := coalesce(v_request.credits, v_left);

    SELECT u.* INTO v_usage FROM mockupd.usage_at(
      v_now, v_request.user_id, v_charge.year::integer, v_charge.month::integer) AS u;
    v_balance := v_usage.annual_budget
      - (v_usage.generation + v_usage.regeneration - v_usage.refund);
    v_usage.refund := v_usage.refund + v_credits;
    v_usage.monthly_used := v_usage.monthly_used - v_credits;

    UPDATE mockupd.credit_counters AS c
    SET refund = v_usage.refund, entries = c.entries + 1,
      month_used[v_charge.month] = v_usage.monthly_used,
      -- See mockupd.alert_thresholds().
      year_level = width_bucket(
        100 * (v_usage.generation + v_usage.regeneration - v_usage.refund + v_usage.held)::float8
          / greatest(v_usage.annual_budget, 1), mockupd.alert_thresholds()),
      month_levels[v_charge.month] = width_bucket(
        100 * (v_usage.monthly_used + v_usage.monthly_held)::float8
          / greatest(v_usage.monthly_soft_limit, 1), mockupd.alert_thresholds())
    WHERE c.user_id = v_request.user_id AND c.year = v_charge.year
    RETURNING c.entries INTO v_sequence;

    INSERT INTO public.mockup_credit_usage (
      id, user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
      created_at, sequence, reservation_id, refunded_entry_id, annual_budget)
    VALUES (
      v_request.entry_id, v_request.user_id,
      -- Null if the mockup was deleted. The lock prevents that until this row refers to it.
      (SELECT m.id FROM public.mockups AS m WHERE m.id = v_charge.mockup_id FOR KEY SHARE),
      v_credits, 'refund',
      mockupd.as_integer(v_balance), mockupd.as_integer(v_balance + v_credits),
      v_charge.year, v_charge.month, v_now,
      v_sequence, v_charge.reservation_id, v_charge.id, v_usage.annual_budget)
    RETURNING * INTO entry;

    INSERT INTO mockupd.refunds (user_id, id, charge_id, whole, credits, entry_id, usage)
    VALUES (
      v_request.user_id, v_request.id, v_charge.id, v_credits = v_left, v_credits,
      v_request.entry_id, v_usage);

    usage := v_usage;
    RETURN NEXT;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION mockupd.refund
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.refund TO mockupd_service;
