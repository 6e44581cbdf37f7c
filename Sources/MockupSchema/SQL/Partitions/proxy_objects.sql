-- Returns the statements that create the types and functions of a proxy database, read from the
-- catalog of a partition: one row for each, in the order of execution.
--
-- Each function that the server may call has a function of the same name in the proxy, which
-- PL/Proxy passes on to the partition in the argument p_partition, or that of the user. A function
-- whose results are merged is in the schema mockupd_partitions instead, in two forms: one calls all
-- partitions, and one (on_partition_...) the partition in its first argument. proxy_merges.sql
-- merges their results.
--
-- $1 text[]  names of the functions whose results are merged
WITH RECURSIVE called AS (
  SELECT p.oid, p.proname::text AS name, p.proretset,
    pg_get_function_arguments(p.oid) AS arguments,
    pg_get_function_result(p.oid) AS result,
    p.proargnames[1:p.pronargs] AS names, p.proargtypes::oid[] AS types,
    p.proallargtypes || p.proargtypes::oid[] || p.prorettype AS all_types,
    CASE WHEN p.prorettype = 'record'::regtype OR EXISTS (
      SELECT FROM pg_type AS t WHERE t.oid = p.prorettype AND t.typtype = 'c') THEN '*' ELSE 'r'
    END AS columns
  FROM pg_proc AS p
  WHERE p.pronamespace = 'mockupd'::regnamespace AND p.prokind = 'f'
    AND has_function_privilege('mockupd_service', p.oid, 'EXECUTE')
    -- The proxy has its own (proxy_functions.sql).
    AND p.proname <> 'partitions'
), composite AS (
  SELECT t.oid, t.typrelid, 0 AS depth
  FROM pg_type AS t
  WHERE t.typtype = 'c' AND t.oid IN (SELECT unnest(c.all_types) FROM called AS c)
  UNION ALL
  SELECT t.oid, t.typrelid, c.depth + 1
  FROM composite AS c
  JOIN pg_attribute AS a ON a.attrelid = c.typrelid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type AS t ON t.oid = a.atttypid AND t.typtype = 'c'
), types AS (
  SELECT c.oid, c.typrelid, max(c.depth) AS depth FROM composite AS c GROUP BY c.oid, c.typrelid
), statements AS (
  SELECT 1 AS kind, -t.depth AS rank, t.oid::regtype::text AS name,
    format(E'CREATE TYPE %s AS (\n  %s\n);', t.oid::regtype, (
      SELECT string_agg(
        format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), E',\n  '
        ORDER BY a.attnum)
      FROM pg_attribute AS a
      WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) AS text
  FROM types AS t
  UNION ALL
  SELECT 2, 0, c.name,
    format(
      E'CREATE FUNCTION mockupd.%I(%s)\nRETURNS %s\nLANGUAGE plproxy\nAS $plproxy$\n'
        '  CLUSTER ''mockupd'';\n  RUN ON %s;\n$plproxy$;',
      c.name, c.arguments, c.result,
      CASE
        WHEN 'p_partition' = ANY (c.names) THEN 'p_partition'
        WHEN 'p_user_ids' = ANY (c.names) THEN 'mockupd.partition_of(p_user_ids)'
        WHEN 'p_user_id' = ANY (c.names) THEN 'mockupd.partition_of(p_user_id)'
      END)
  FROM called AS c
  WHERE c.name <> ALL ($1)
  UNION ALL
  SELECT 3, form.number, c.name,
    format(
      E'CREATE FUNCTION mockupd_partitions.%I(%s)\nRETURNS %s\nLANGUAGE plproxy\nAS $plproxy$\n'
        '  CLUSTER ''mockupd'';\n  RUN ON %s;\n  SELECT %s FROM mockupd.%I(%s) AS r;\n$plproxy$;',
      CASE form.number WHEN 0 THEN c.name ELSE 'on_partition_' || c.name END,
      concat_ws(', ', CASE form.number WHEN 1 THEN 'p_partition integer' END,
        nullif(c.arguments, '')),
      CASE WHEN c.proretset OR form.number = 1 THEN c.result ELSE 'SETOF ' || c.result END,
      CASE form.number WHEN 0 THEN 'ALL' ELSE 'p_partition' END,
      c.columns, c.name, (
        SELECT string_agg(
          format('%s::%s', a.name, format_type(a.type, NULL)), ', ' ORDER BY a.place)
        FROM unnest(c.names, c.types) WITH ORDINALITY AS a (name, type, place)))
  FROM called AS c
  CROSS JOIN (VALUES (0), (1)) AS form (number)
  WHERE c.name = ANY ($1)
)
SELECT s.text FROM statements AS s ORDER BY s.kind, s.rank, s.name
