-- Returns a chunk of the ledgers of all users, ordered by user and then from the oldest entry.
-- p_after_user_id, p_after_year and p_after_sequence are those of the previous chunk's last entry,
-- or null. A null year or month includes all.
CREATE OR REPLACE FUNCTION mockupd.export_ledger(
  p_year integer,
  p_month integer,
  p_after_user_id uuid,
  p_after_year integer,
  p_after_sequence bigint,
  p_limit integer
) RETURNS SETOF public.mockup_credit_usage
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT e.*
  FROM public.mockup_credit_usage AS e
  -- No OR, which would keep PostgreSQL from starting the index scan after the last entry. No entry
  -- is before the values that replace the nulls.
  WHERE (e.user_id, e.year, e.sequence) > (
      coalesce(p_after_user_id, '00000000-0000-0000-0000-000000000000'::uuid),
      coalesce(p_after_year, -2147483648), coalesce(p_after_sequence, 0))
    AND (p_year IS NULL OR e.year = p_year)
    AND (p_month IS NULL OR e.month = p_month)
  ORDER BY e.user_id, e.year, e.sequence
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.export_ledger
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.export_ledger TO mockupd_service;
