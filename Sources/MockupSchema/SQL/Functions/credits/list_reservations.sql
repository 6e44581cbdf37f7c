-- Returns a page of a user's reservations in their states at p_now (null: at the time of the
-- database), the newest first. p_after_created_at and p_after_id are those of the previous page's
-- last reservation, or null. The other parameters filter the reservations unless they are null.
CREATE OR REPLACE FUNCTION mockupd.list_reservations(
  p_now timestamptz,
  p_user_id uuid,
  p_states text[],
  p_group_id uuid,
  p_mockup_id uuid,
  p_after_created_at timestamptz,
  p_after_id uuid,
  p_limit bigint
) RETURNS SETOF mockupd.reservations
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT r.*
  FROM mockupd.reservations AS row
  CROSS JOIN LATERAL mockupd.as_of(row, coalesce(p_now, now())) AS r
  WHERE row.user_id = p_user_id AND row.created_at > '-infinity' -- the condition of the index
    AND (p_states IS NULL OR r.state = ANY (p_states))
    AND (p_group_id IS NULL OR row.group_id = p_group_id)
    AND (p_mockup_id IS NULL OR row.mockup_id = p_mockup_id)
    AND (p_after_created_at IS NULL OR (row.created_at, row.id) < (p_after_created_at, p_after_id))
  ORDER BY row.created_at DESC, row.id DESC
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_reservations TO mockupd_service;
