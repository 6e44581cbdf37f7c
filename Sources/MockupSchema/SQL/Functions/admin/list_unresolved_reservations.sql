-- Returns a page of the reservations of all users that are unresolved at p_now (null: at the time
-- of the database), each with the label of its user. Those that are unresolved for the longest time
-- (since expires_at) come first. The parameters p_after_... are those of the previous page's last
-- reservation, or null.
CREATE OR REPLACE FUNCTION mockupd.list_unresolved_reservations(
  p_now timestamptz,
  p_after_expires_at timestamptz,
  p_after_user_id uuid,
  p_after_id uuid,
  p_limit bigint
) RETURNS TABLE (reservation mockupd.reservations, user_label text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  p_now := coalesce(p_now, now());
  RETURN QUERY
  SELECT r, mockupd.user_label(r.user_id)
  FROM mockupd.unresolved_reservations(p_now) AS row
  CROSS JOIN LATERAL mockupd.as_of(row, p_now) AS r
  WHERE p_after_expires_at IS NULL
    OR (r.expires_at, r.user_id, r.id) > (p_after_expires_at, p_after_user_id, p_after_id)
  ORDER BY r.expires_at, r.user_id, r.id
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_unresolved_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_unresolved_reservations TO mockupd_service;
