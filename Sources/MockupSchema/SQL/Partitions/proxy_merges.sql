-- The functions of a proxy database that merge the results of all partitions. Each has the name,
-- the arguments and the result of the partitions' function. The functions in the schema
-- mockupd_partitions call one partition or all.
--
-- They fail if one partition does, since their result would be incomplete.

CREATE FUNCTION mockupd.find_users(p_label text, p_limit integer)
RETURNS SETOF uuid
LANGUAGE sql STABLE
AS $$
  SELECT u FROM mockupd_partitions.find_users(p_label, p_limit) AS u ORDER BY u LIMIT p_limit
$$;

CREATE FUNCTION mockupd.export_ledger(
  p_year integer,
  p_month integer,
  p_after_user_id uuid,
  p_after_year integer,
  p_after_sequence bigint,
  p_limit integer
) RETURNS SETOF public.mockup_credit_usage
LANGUAGE sql STABLE
AS $$
  SELECT e.*
  FROM mockupd_partitions.export_ledger(
    p_year, p_month, p_after_user_id, p_after_year, p_after_sequence, p_limit) AS e
  ORDER BY e.user_id, e.year, e.sequence
  LIMIT p_limit
$$;

CREATE FUNCTION mockupd.list_unresolved_reservations(
  p_now timestamptz,
  p_after_expires_at timestamptz,
  p_after_user_id uuid,
  p_after_id uuid,
  p_limit bigint
) RETURNS TABLE (reservation mockupd.reservations, user_label text)
LANGUAGE sql STABLE
AS $$
  SELECT r.reservation, r.user_label
  FROM mockupd_partitions.list_unresolved_reservations(
    p_now, p_after_expires_at, p_after_user_id, p_after_id, p_limit) AS r
  ORDER BY (r.reservation).expires_at, (r.reservation).user_id, (r.reservation).id
  LIMIT p_limit
$$;

CREATE FUNCTION mockupd.verify_counters(p_user_id uuid DEFAULT NULL)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE sql STABLE
AS $$
  SELECT v.* FROM mockupd_partitions.verify_counters(p_user_id) AS v WHERE p_user_id IS NULL
  UNION ALL
  SELECT v.*
  FROM mockupd_partitions.on_partition_verify_counters(
    mockupd.partition_of(p_user_id), p_user_id) AS v
  WHERE p_user_id IS NOT NULL
$$;

CREATE FUNCTION mockupd.verify_users(p_after uuid, p_limit integer)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE sql STABLE
AS $$
  SELECT v.user_id, v.year, v.discrepancy
  FROM (
    -- A user may have several rows, and the limit is one of users.
    SELECT u.*, dense_rank() OVER (ORDER BY u.user_id) AS place
    FROM mockupd_partitions.verify_users(p_after, p_limit) AS u
  ) AS v
  WHERE v.place <= p_limit
  ORDER BY v.user_id, v.year, v.discrepancy
$$;

CREATE FUNCTION mockupd.usage_report_page(
  p_now timestamptz,
  p_year integer,
  p_month integer,
  p_user_id uuid,
  p_active_only boolean,
  p_soft_limit_passed_only boolean,
  p_available_at_most bigint,
  p_order text,
  p_after_figure bigint,
  p_after_user_id uuid,
  p_limit bigint
) RETURNS TABLE (
  year integer,
  month integer,
  user_id uuid,
  user_label text,
  figure bigint,
  users bigint,
  users_above_soft_limit bigint,
  annual_budget bigint,
  monthly_soft_limit integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  held bigint,
  monthly_used bigint,
  monthly_held bigint,
  unresolved bigint
)
LANGUAGE sql STABLE
AS $$
  WITH report AS MATERIALIZED (
    SELECT r.* FROM mockupd_partitions.usage_report_page(
      p_now, p_year, p_month, p_user_id, p_active_only, p_soft_limit_passed_only,
      p_available_at_most, p_order, p_after_figure, p_after_user_id, p_limit) AS r
  )
  (SELECT
    min(r.year * 100 + r.month) / 100, min(r.year * 100 + r.month) % 100, NULL::uuid, NULL::text,
    NULL::bigint,
    sum(r.users)::bigint, sum(r.users_above_soft_limit)::bigint, sum(r.annual_budget)::bigint,
    NULL::integer, sum(r.generation)::bigint, sum(r.regeneration)::bigint, sum(r.refund)::bigint,
    sum(r.held)::bigint, sum(r.monthly_used)::bigint, sum(r.monthly_held)::bigint,
    sum(r.unresolved)::bigint
  FROM report AS r
  WHERE r.user_id IS NULL)
  UNION ALL
  (SELECT r.* FROM report AS r
  WHERE r.user_id IS NOT NULL
  ORDER BY r.figure, r.user_id
  LIMIT p_limit)
$$;

CREATE FUNCTION mockupd.credit_totals(p_now timestamptz)
RETURNS TABLE (
  users bigint,
  annual_budget bigint,
  used bigint,
  held bigint,
  users_above_soft_limit bigint,
  users_exhausted bigint,
  open_reservations bigint,
  unresolved_reservations bigint,
  oldest_unresolved_at timestamptz,
  pending_mockups bigint,
  oldest_pending_at timestamptz,
  leased_mockups bigint,
  read_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  SELECT
    sum(t.users)::bigint, sum(t.annual_budget)::bigint, sum(t.used)::bigint, sum(t.held)::bigint,
    sum(t.users_above_soft_limit)::bigint, sum(t.users_exhausted)::bigint,
    sum(t.open_reservations)::bigint, sum(t.unresolved_reservations)::bigint,
    min(t.oldest_unresolved_at), sum(t.pending_mockups)::bigint, min(t.oldest_pending_at),
    sum(t.leased_mockups)::bigint, max(t.read_at)
  FROM mockupd_partitions.credit_totals(p_now) AS t
$$;

CREATE FUNCTION mockupd.database_facts(p_now timestamptz)
RETURNS TABLE (
  schema_version integer,
  database_version text,
  unresolved_reservations bigint,
  pending_mockups bigint,
  read_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  SELECT min(f.schema_version), min(f.database_version), sum(f.unresolved_reservations)::bigint,
    sum(f.pending_mockups)::bigint, max(f.read_at)
  FROM mockupd_partitions.database_facts(p_now) AS f
$$;
