-- Recomputes the counters and balances of one user, or of all users if p_user_id is null, from the
-- rows they summarize. Returns a row for each discrepancy; no row means that everything is correct.
CREATE OR REPLACE FUNCTION mockupd.verify_counters(p_user_id uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A verification of one user needs another plan than a verification of all users.
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH spent AS (
    SELECT e.user_id, e.year::integer AS year, e.month::integer AS month, e.sequence, e.id,
      e.reservation_id, e.refunded_entry_id,
      e.operation, e.credits::bigint AS credits, e.overrun,
      e.balance_before, e.balance_after, e.annual_budget,
      CASE e.operation WHEN 'refund' THEN -e.credits::bigint
        WHEN 'generation' THEN e.credits WHEN 'regeneration' THEN e.credits ELSE 0 END AS charge
    FROM public.mockup_credit_usage AS e
    WHERE p_user_id IS NULL OR e.user_id = p_user_id
  ), open AS (
    SELECT r.user_id, r.year, r.month, r.state, r.held FROM mockupd.reservations AS r
    WHERE (r.held > 0 OR r.state IN ('held', 'dispatched', 'unresolved'))
      AND (p_user_id IS NULL OR r.user_id = p_user_id)
  ), sums AS (
    SELECT s.user_id, s.year, 'generation' AS name, sum(s.credits) AS value
    FROM spent AS s WHERE s.operation = 'generation' GROUP BY 1, 2
    UNION ALL
    SELECT s.user_id, s.year, 'regeneration', sum(s.credits)
    FROM spent AS s WHERE s.operation = 'regeneration' GROUP BY 1, 2
    UNION ALL
    SELECT s.user_id, s.year, 'refund', sum(s.credits)
    FROM spent AS s WHERE s.operation = 'refund' GROUP BY 1, 2
    UNION ALL
    SELECT s.user_id, s.year, 'entries', count(*) FROM spent AS s GROUP BY 1, 2
    UNION ALL
    SELECT s.user_id, s.year, 'used in month ' || s.month, sum(s.charge)
    FROM spent AS s WHERE s.month BETWEEN 1 AND 12 GROUP BY 1, 2, s.month
    UNION ALL
    SELECT o.user_id, o.year, 'held', sum(o.held) FROM open AS o GROUP BY 1, 2
    UNION ALL
    SELECT o.user_id, o.year, 'held in month ' || o.month, sum(o.held)
    FROM open AS o GROUP BY 1, 2, o.month
    UNION ALL
    SELECT o.user_id, o.year, 'open', count(*)
    FROM open AS o WHERE o.state IN ('held', 'dispatched') GROUP BY 1, 2
    UNION ALL
    SELECT o.user_id, o.year, 'unresolved', count(*)
    FROM open AS o WHERE o.state = 'unresolved' GROUP BY 1, 2
  ), counted AS (
    SELECT c.user_id, c.year, v.name, v.value
    FROM mockupd.credit_counters AS c
    CROSS JOIN LATERAL (
      VALUES ('generation', c.generation), ('regeneration', c.regeneration),
        ('refund', c.refund), ('entries', c.entries), ('held', c.held),
        ('open', c.open), ('unresolved', c.unresolved)
      UNION ALL
      SELECT 'used in month ' || m.number, m.value
      FROM unnest(c.month_used) WITH ORDINALITY AS m (value, number)
      UNION ALL
      SELECT 'held in month ' || m.number, m.value
      FROM unnest(c.month_held) WITH ORDINALITY AS m (value, number)
    ) AS v (name, value)
    WHERE p_user_id IS NULL OR c.user_id = p_user_id
  )
  SELECT user_id, year,
    format('%s: the counter is %s, but should be %s',
      name, coalesce(counted.value, 0), coalesce(sums.value, 0))
  FROM sums FULL JOIN counted USING (user_id, year, name)
  WHERE coalesce(sums.value, 0) <> coalesce(counted.value, 0)
  UNION ALL
  -- The rows of a year are numbered without gaps. The balance before each row is the budget that
  -- the row stores minus the credits that the earlier rows used: the balance after the previous
  -- row, unless the budget changed in between. Rows of the initial schema store no budget and may
  -- have any balances. Balances are clamped to integer.
  SELECT c.user_id, c.year, c.discrepancy
  FROM (
    SELECT s.user_id, s.year,
      CASE
        WHEN s.sequence <> s.place
          THEN format('entry %s: its sequence should be %s', s.sequence, s.place)
        WHEN s.balance_before <> mockupd.as_integer(s.annual_budget - s.used)
          THEN format('entry %s: balance_before is %s, but should be %s',
            s.sequence, s.balance_before, mockupd.as_integer(s.annual_budget - s.used))
        WHEN s.balance_after <> mockupd.as_integer(s.annual_budget - s.used - s.charge)
          THEN format('entry %s: balance_before is %s and balance_after is %s for a %s of %s',
            s.sequence, s.balance_before, s.balance_after, s.operation, s.credits)
      END AS discrepancy
    FROM (
      SELECT e.*,
        row_number() OVER year AS place,
        (sum(e.charge) OVER year - e.charge)::bigint AS used
      FROM spent AS e
      WINDOW year AS (PARTITION BY e.user_id, e.year ORDER BY e.sequence)
    ) AS s
  ) AS c
  WHERE c.discrepancy IS NOT NULL
  UNION ALL
  -- The committed credits and the overrun of a reservation are the sums of its ledger rows.
  SELECT r.user_id, r.year,
    format('reservation %s: committed %s (overrun %s), but its ledger entries sum to %s (%s)',
    r.id, r.committed, r.overrun, coalesce(e.credits, 0), coalesce(e.overrun, 0))
  FROM mockupd.reservations AS r
  LEFT JOIN (
    SELECT s.user_id, s.reservation_id, sum(s.credits) AS credits, sum(s.overrun) AS overrun
    FROM spent AS s
    WHERE s.reservation_id IS NOT NULL AND s.operation <> 'refund'
    GROUP BY s.user_id, s.reservation_id
  ) AS e ON e.user_id = r.user_id AND e.reservation_id = r.id
  WHERE (p_user_id IS NULL OR r.user_id = p_user_id)
    AND (r.committed, r.overrun) <> (coalesce(e.credits, 0), coalesce(e.overrun, 0))
  UNION ALL
  -- No open reservation expires before due_at. Otherwise its expiry would be missed.
  SELECT r.user_id, r.year,
    format('reservation %s: expires at %s, before due_at of its counters (%s)',
      r.id, r.expires_at, c.due_at)
  FROM mockupd.reservations AS r
  JOIN mockupd.credit_counters AS c ON c.user_id = r.user_id AND c.year = r.year
  WHERE (p_user_id IS NULL OR r.user_id = p_user_id)
    AND r.state IN ('held', 'dispatched') AND r.expires_at < c.due_at
  UNION ALL
  -- Each stored commit, and the last commit of each reservation, has a ledger row with its credits.
  SELECT c.user_id, r.year, format('commit %s: spent %s, but the ledger has %s',
    c.id, c.credits, coalesce(e.credits::text, 'nothing'))
  FROM (
    SELECT c.user_id, c.reservation_id, c.id, c.credits, c.entry_id
    FROM mockupd.commits AS c
    WHERE p_user_id IS NULL OR c.user_id = p_user_id
    UNION ALL
    SELECT r.user_id, r.id, r.commit_id, r.committed, r.entry_id
    FROM mockupd.reservations AS r
    WHERE r.entry_id IS NOT NULL AND (p_user_id IS NULL OR r.user_id = p_user_id)
      AND NOT EXISTS (
        SELECT FROM mockupd.commits AS c
        WHERE c.user_id = r.user_id AND c.reservation_id = r.id AND c.id = r.commit_id)
  ) AS c
  JOIN mockupd.reservations AS r ON r.user_id = c.user_id AND r.id = c.reservation_id
  LEFT JOIN spent AS e
    ON e.user_id = c.user_id AND e.id = c.entry_id AND e.reservation_id = c.reservation_id
  WHERE c.credits > 0 AND c.credits IS DISTINCT FROM e.credits
  UNION ALL
  -- Each refund has a charge in the same month, and a row in mockupd.refunds.
  SELECT e.user_id, e.year, format('refund %s: the charge is missing', e.sequence)
  FROM spent AS e
  WHERE e.refunded_entry_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM spent AS c
      WHERE c.user_id = e.user_id AND c.id = e.refunded_entry_id AND c.year = e.year
        AND c.month = e.month AND c.operation <> 'refund')
  UNION ALL
  SELECT c.user_id, c.year,
    format('charge %s: of %s credits the ledger refunds %s, and mockupd.refunds %s',
    c.sequence, c.credits, coalesce(e.credits, 0), coalesce(r.credits, 0))
  FROM spent AS c
  LEFT JOIN (
    SELECT s.user_id, s.refunded_entry_id AS id, sum(s.credits) AS credits
    FROM spent AS s WHERE s.refunded_entry_id IS NOT NULL GROUP BY 1, 2
  ) AS e ON e.user_id = c.user_id AND e.id = c.id
  LEFT JOIN (
    SELECT f.user_id, f.charge_id AS id, sum(f.credits) AS credits
    FROM mockupd.refunds AS f
    WHERE p_user_id IS NULL OR f.user_id = p_user_id
    GROUP BY 1, 2
  ) AS r ON r.user_id = c.user_id AND r.id = c.id
  -- Rows of the initial schema may have any credits, and have no refunds.
  WHERE e.credits > c.credits OR coalesce(e.credits, 0) <> coalesce(r.credits, 0)
  UNION ALL
  SELECT a.user_id, a.year, a.discrepancy FROM mockupd.verify_alerts(p_user_id) AS a;
END
$$;

REVOKE ALL ON FUNCTION mockupd.verify_counters
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.verify_counters TO mockupd_service;
