-- Returns a chunk of a user's ledger, the oldest entry first. p_after_year and p_after_sequence are
-- those of the previous chunk's last entry, or null. A null year or month includes all.
CREATE OR REPLACE FUNCTION mockupd.export_credit_usage(
  p_user_id uuid,
  p_year integer,
  p_month integer,
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
  WHERE e.user_id = p_user_id
    AND (p_year IS NULL OR e.year = p_year)
    AND (p_month IS NULL OR e.month = p_month)
    AND (p_after_year IS NULL OR (e.year, e.sequence) > (p_after_year, p_after_sequence))
  ORDER BY e.year, e.sequence
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.export_credit_usage
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.export_credit_usage TO mockupd_service;
