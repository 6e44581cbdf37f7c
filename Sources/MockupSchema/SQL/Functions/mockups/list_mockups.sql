-- Returns a page of a user's mockups with their jobs, the newest first. p_after_created_at and
-- p_after_id are those of the previous page's last mockup, or null. The other parameters filter the
-- mockups unless they are null.
CREATE OR REPLACE FUNCTION mockupd.list_mockups(
  p_user_id uuid,
  p_asset_id uuid,
  p_quote_id uuid,
  p_scene text,
  p_status text,
  p_after_created_at timestamptz,
  p_after_id uuid,
  p_limit bigint
) RETURNS TABLE (mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT m, j
  FROM public.mockups AS m
  LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
  WHERE m.user_id = p_user_id
    AND (p_asset_id IS NULL OR m.asset_id = p_asset_id)
    AND (p_quote_id IS NULL OR m.quote_id = p_quote_id)
    AND (p_scene IS NULL OR m.scene = p_scene)
    AND (p_status IS NULL OR m.status = p_status)
    AND (p_after_created_at IS NULL OR (m.created_at, m.id) < (p_after_created_at, p_after_id))
  ORDER BY m.created_at DESC, m.id DESC
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_mockups TO mockupd_service;
