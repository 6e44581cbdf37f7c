-- The objects of a proxy database that do not depend on the functions of its partitions.
-- `mockupd partitions` replaces PARTITION_COUNT by their number.
CREATE SCHEMA mockupd;
CREATE SCHEMA mockupd_partitions;
GRANT USAGE ON SCHEMA mockupd, mockupd_partitions TO mockupd_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA mockupd, mockupd_partitions
  GRANT EXECUTE ON FUNCTIONS TO mockupd_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA mockupd GRANT SELECT ON TABLES TO mockupd_service;

-- The migrations of the partitions when the proxy's functions were created. The server compares
-- them with its own.
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

-- Returns the partitions, in order, each with a connection string for the server's login, with its
-- password. The server listens for notifications in each partition, since PL/Proxy does not pass
-- them on.
CREATE FUNCTION mockupd.partitions()
RETURNS TABLE (number integer, url text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT substr(address.option_name, 2)::integer, concat_ws(' ', address.option_value, login.text)
  FROM pg_foreign_server AS s
  CROSS JOIN pg_options_to_table(s.srvoptions) AS address
  CROSS JOIN (
    SELECT string_agg(
      format($f$%s='%s'$f$, o.option_name,
        replace(replace(o.option_value, E'\\', E'\\\\'), E'\'', E'\\\'')), ' ') AS text
    FROM pg_user_mapping AS m
    JOIN pg_foreign_server AS s ON s.oid = m.umserver AND s.srvname = 'mockupd'
    CROSS JOIN pg_options_to_table(m.umoptions) AS o
    -- The mapping for PUBLIC.
    WHERE m.umuser = 0
  ) AS login
  WHERE s.srvname = 'mockupd' AND address.option_name ~ '^p[0-9]+$'
  ORDER BY 1
$$;
REVOKE ALL ON FUNCTION mockupd.partitions FROM PUBLIC;

-- Returns the number of a user's partition: the last byte of the id modulo the number of
-- partitions, which is a power of two. System templates have no user, and are in each partition;
-- they are read in the first.
CREATE FUNCTION mockupd.partition_of(p_user_id uuid)
RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT coalesce(get_byte(uuid_send(p_user_id), 15), 0) & (PARTITION_COUNT - 1) $$;

-- Returns the number of the partition of a batch's users; fails if they belong to several. The
-- server then divides the batch.
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
