-- Recomputes every sum from the rows it is made of and returns what differs, a row a discrepancy: of
-- one user, or of all. No row means that the books are right.
CREATE FUNCTION mockupd.verify_counters(p_user_id uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = ''
AS $$
  WITH spent AS (
    SELECT e.user_id, e.year, e.month, e.sequence, e.id,
      e.operation, e.credits::bigint AS credits, e.balance_before, e.balance_after,
      CASE e.operation WHEN 'refund' THEN -e.credits::bigint
        WHEN 'generation' THEN e.credits WHEN 'regeneration' THEN e.credits ELSE 0 END AS charge
    FROM public.mockup_credit_usage AS e
    WHERE p_user_id IS NULL OR e.user_id = p_user_id
  ), open AS (
    SELECT r.user_id, r.year, r.month, r.held FROM mockupd.reservations AS r
    WHERE r.state = 'held' AND (p_user_id IS NULL OR r.user_id = p_user_id)
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
  ), counted AS (
    SELECT c.user_id, c.year, v.name, v.value
    FROM mockupd.credit_counters AS c
    CROSS JOIN LATERAL (
      VALUES ('generation', c.generation), ('regeneration', c.regeneration),
        ('refund', c.refund), ('entries', c.entries), ('held', c.held)
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
    format('%s: the counter says %s, the rows say %s',
      name, coalesce(counted.value, 0), coalesce(sums.value, 0))
  FROM sums FULL JOIN counted USING (user_id, year, name)
  WHERE coalesce(sums.value, 0) <> coalesce(counted.value, 0)
  UNION ALL
  -- Rows that came with the first schema have no reservation and carry whatever they were given; a
  -- balance beyond what its column holds is cut off there.
  SELECT e.user_id, e.year, format('entry %s: balance %s became %s by %s of %s',
    e.sequence, e.balance_before, e.balance_after, e.operation, e.credits)
  FROM public.mockup_credit_usage AS e
  WHERE e.reservation_id IS NOT NULL AND (p_user_id IS NULL OR e.user_id = p_user_id)
    AND e.balance_after <>
      e.balance_before - CASE e.operation WHEN 'refund' THEN -1 ELSE 1 END * e.credits::bigint
    AND -2147483648 NOT IN (e.balance_before, e.balance_after)
    AND 2147483647 NOT IN (e.balance_before, e.balance_after)
  UNION ALL
  SELECT r.user_id, r.year, format('reservation %s: committed %s, the ledger says %s',
    r.id, r.committed, coalesce(sum(e.credits), 0))
  FROM mockupd.reservations AS r
  LEFT JOIN public.mockup_credit_usage AS e ON e.user_id = r.user_id AND e.id = r.entry_id
  WHERE p_user_id IS NULL OR r.user_id = p_user_id
  GROUP BY r.user_id, r.year, r.id, r.committed
  HAVING r.committed <> coalesce(sum(e.credits), 0)
$$;

REVOKE EXECUTE ON FUNCTION mockupd.verify_counters(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mockupd.verify_counters(uuid) TO mockupd_service;
