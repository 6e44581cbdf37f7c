-- The functions of a proxy database that find work in the partitions, and the test of writes. Each
-- has the name, the arguments and the result of the partitions' function. The functions in the
-- schema mockupd_partitions call one partition or all.
--
-- They skip partitions that are unavailable, and fail only if all are.

CREATE FUNCTION mockupd.claim_mockups(
  p_now timestamptz, p_worker text, p_count integer, p_lease integer, p_bytes integer,
  p_skip_locked boolean
) RETURNS TABLE (
  mockup public.mockups,
  job mockupd.mockup_jobs,
  credits integer,
  dm_template_id text,
  dm_template_url text
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_first integer := floor(random() * mockupd.partition_count());
  v_failures integer := 0;
BEGIN
  -- Mockups of one partition only: if a claim in a second one failed, those of the first would stay
  -- leased, and no worker would have them. The first partition is random, so that none waits.
  FOR v_number IN 0..mockupd.partition_count() - 1 LOOP
    BEGIN
      RETURN QUERY
      SELECT c.* FROM mockupd_partitions.on_partition_claim_mockups(
        v_first + v_number, p_now, p_worker, p_count, p_lease, p_bytes, p_skip_locked) AS c;
      EXIT WHEN FOUND;
    EXCEPTION
      WHEN internal_error OR admin_shutdown OR crash_shutdown OR cannot_connect_now
        OR read_only_sql_transaction THEN
        v_failures := v_failures + 1;
        IF v_failures = mockupd.partition_count() THEN
          RAISE;
        END IF;
    END;
  END LOOP;
END
$$;

CREATE FUNCTION mockupd.expire_leases(p_now timestamptz, p_limit integer)
RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  v_count integer := 0;
  v_failures integer := 0;
BEGIN
  FOR v_number IN 0..mockupd.partition_count() - 1 LOOP
    BEGIN
      v_count := v_count + e
      FROM mockupd_partitions.on_partition_expire_leases(v_number, p_now, p_limit) AS e;
    EXCEPTION
      WHEN internal_error OR admin_shutdown OR crash_shutdown OR cannot_connect_now
        OR read_only_sql_transaction THEN
        v_failures := v_failures + 1;
        IF v_failures = mockupd.partition_count() THEN
          RAISE;
        END IF;
    END;
  END LOOP;
  RETURN v_count;
END
$$;

CREATE FUNCTION mockupd.sweep_reservations(
  p_now timestamptz, p_after timestamptz, p_limit integer
) RETURNS TABLE (years integer, expired bigint, last_due_at timestamptz)
LANGUAGE plpgsql
AS $$
DECLARE
  v_swept record;
  v_failures integer := 0;
BEGIN
  years := 0;
  expired := 0;
  FOR v_number IN 0..mockupd.partition_count() - 1 LOOP
    BEGIN
      SELECT s.* INTO v_swept
      FROM mockupd_partitions.on_partition_sweep_reservations(
        v_number, p_now, p_after, p_limit) AS s;
      years := years + v_swept.years;
      expired := expired + v_swept.expired;
      -- The next call must not skip what a partition has left over, so the earliest time counts.
      last_due_at := least(last_due_at, v_swept.last_due_at);
    EXCEPTION
      WHEN internal_error OR admin_shutdown OR crash_shutdown OR cannot_connect_now
        OR read_only_sql_transaction THEN
        v_failures := v_failures + 1;
        IF v_failures = mockupd.partition_count() THEN
          RAISE;
        END IF;
    END;
  END LOOP;
  RETURN NEXT;
END
$$;

CREATE FUNCTION mockupd.wait_for_replication()
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_failures integer := 0;
BEGIN
  FOR v_number IN 0..mockupd.partition_count() - 1 LOOP
    BEGIN
      PERFORM mockupd_partitions.on_partition_wait_for_replication(v_number);
    EXCEPTION
      WHEN internal_error OR admin_shutdown OR crash_shutdown OR cannot_connect_now
        OR read_only_sql_transaction THEN
        v_failures := v_failures + 1;
        IF v_failures = mockupd.partition_count() THEN
          RAISE;
        END IF;
    END;
  END LOOP;
END
$$;
