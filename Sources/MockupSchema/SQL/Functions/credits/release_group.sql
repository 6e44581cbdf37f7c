-- Releases every open reservation of a user's group. Returns one row: whether the group exists; the
-- number of its reservations that were released, by this call or before, and the credits that they
-- gave back; replayed if this call released none; and the usage at p_now (null: at the time of the
-- database), with its year and month.
CREATE OR REPLACE FUNCTION mockupd.release_group(p_now timestamptz, p_user_id uuid, p_group_id uuid)
RETURNS TABLE (
  known boolean, reservations bigint, released bigint, replayed boolean,
  year integer, month integer, usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_years integer[];
  v_ids uuid[];
BEGIN
  -- All of the user's years are locked before the group is read. So no other session adds a
  -- reservation to the group or settles one until the transaction ends. The answer excludes
  -- reservations of years whose counters were made after the lock.
  SELECT l.p_now, l.years INTO p_now, v_years FROM mockupd.lock_user(p_now, p_user_id) AS l;

  SELECT coalesce(array_agg(r.id ORDER BY r.id), '{}') INTO v_ids
  FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.group_id = p_group_id AND r.year = ANY (v_years)
    AND r.state IN ('held', 'dispatched', 'unresolved');

  SELECT count(*) FILTER (WHERE s.outcome = 'settled' AND NOT s.replayed) = 0 INTO replayed
  FROM mockupd.settle(
    p_now, array_fill(p_user_id, ARRAY[cardinality(v_ids)]), v_ids,
    array_fill('release'::text, ARRAY[cardinality(v_ids)]),
    '{}', '{}', '{}', '{}', '{}', '{}') AS s;

  SELECT count(*) > 0, count(*) FILTER (WHERE given.back),
    coalesce(sum(r.granted - (r.committed - r.overrun)) FILTER (WHERE given.back), 0)
  INTO known, reservations, released
  FROM mockupd.reservations AS r
  CROSS JOIN LATERAL (
    SELECT r.state = 'released' OR r.state = 'committed' AND r.commit_id IS NULL AS back
  ) AS given
  WHERE r.user_id = p_user_id AND r.group_id = p_group_id AND r.year = ANY (v_years);

  year := extract(year FROM p_now AT TIME ZONE 'UTC');
  month := extract(month FROM p_now AT TIME ZONE 'UTC');
  SELECT u.* INTO usage FROM mockupd.usage_at(p_now, p_user_id, year, month) AS u;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.release_group
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.release_group TO mockupd_service;
