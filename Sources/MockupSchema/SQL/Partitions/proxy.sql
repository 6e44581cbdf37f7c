-- The SQL of a proxy database. mockupd partitions replaces the words in capitals.

BEGIN;

SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

DO $$
BEGIN
  IF to_regclass('mockupd.credit_counters') IS NOT NULL THEN
    RAISE EXCEPTION 'this database is a partition, or has a schema of its own';
  END IF;
  LOOP
    BEGIN
      EXIT WHEN to_regrole('mockupd_service') IS NOT NULL;
      CREATE ROLE mockupd_service NOLOGIN;
    EXCEPTION
      -- Another database's script may have created it meanwhile.
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;

CREATE EXTENSION IF NOT EXISTS plproxy WITH SCHEMA pg_catalog;

DO $mockupd_server$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_foreign_server WHERE srvname = 'mockupd') THEN
    CREATE SERVER mockupd FOREIGN DATA WRAPPER plproxy OPTIONS (
    OPTIONS_TO_CREATE
    );
  ELSIF (
    SELECT count(*) FROM pg_foreign_server, unnest(srvoptions) AS option
    WHERE srvname = 'mockupd' AND option ~ '^p[0-9]+='
  ) = PARTITION_COUNT THEN
    ALTER SERVER mockupd OPTIONS (
    OPTIONS_TO_SET
    );
  ELSE
    RAISE EXCEPTION 'the number of partitions cannot be changed'
      USING DETAIL = 'Users would belong to other partitions than those that have their rows.';
  END IF;
END
$mockupd_server$;

DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER mockupd;
CREATE USER MAPPING FOR PUBLIC SERVER mockupd OPTIONS (USER_MAPPING);
GRANT USAGE ON FOREIGN SERVER mockupd TO mockupd_service;

DO $mockupd_definition$
DECLARE
  v_definition text := DEFINITION;
  v_type regtype;
BEGIN
  -- The schema's comment tells what it was made from.
  IF obj_description(to_regnamespace('mockupd'), 'pg_namespace') = md5(v_definition) THEN
    RETURN;
  END IF;
  DROP SCHEMA IF EXISTS mockupd, mockupd_partitions CASCADE;
  FOR v_type IN
    SELECT t.oid FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
    WHERE t.typnamespace = 'public'::regnamespace
      AND t.typname IN ('mockups', 'mockup_credit_usage', 'mockup_scene_templates')
  LOOP
    EXECUTE format('DROP TYPE %s', v_type);
  END LOOP;
  EXECUTE v_definition;
  EXECUTE format('COMMENT ON SCHEMA mockupd IS %L', md5(v_definition));
END
$mockupd_definition$;

COMMIT;
