CREATE SCHEMA mockupd;
CREATE SCHEMA mockupd_partitions;
GRANT USAGE ON SCHEMA mockupd, mockupd_partitions TO mockupd_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA mockupd, mockupd_partitions
  GRANT EXECUTE ON FUNCTIONS TO mockupd_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA mockupd GRANT SELECT ON TABLES TO mockupd_service;

-- The schema of the partitions when this proxy was made, which the server checks.
CREATE TABLE mockupd.schema_migrations (
  version bigint PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL
);
CREATE TABLE mockupd.repeatable_migrations (
  name text PRIMARY KEY,
  checksum text NOT NULL,
  revision bigint NOT NULL,
  applied_at timestamptz NOT NULL
);

CREATE FUNCTION mockupd.partition_count()
RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT PARTITION_COUNT $$;

-- Returns the partition of a user: the last byte of the id, of which PL/Proxy uses as many bits as
-- there are partitions. System templates, which have no user, are in each partition.
CREATE FUNCTION mockupd.partition_of(p_user_id uuid)
RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT coalesce(get_byte(uuid_send(p_user_id), 15), 0) & (PARTITION_COUNT - 1) $$;

-- Returns the partition of several users, which must be one. The class of the error makes the
-- server send the items of a batch in parts.
CREATE FUNCTION mockupd.partition_of(p_user_ids uuid[])
RETURNS integer
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  v_first integer;
  v_last integer;
BEGIN
  SELECT min(p.number), max(p.number) INTO v_first, v_last
  FROM unnest(p_user_ids) AS u (id)
  CROSS JOIN LATERAL (
    SELECT get_byte(uuid_send(u.id), 15) & (PARTITION_COUNT - 1) AS number
  ) AS p;
  IF v_first <> v_last THEN
    RAISE EXCEPTION 'the users belong to several partitions' USING ERRCODE = '22MP1';
  END IF;
  RETURN coalesce(v_first, 0);
END
$$;
