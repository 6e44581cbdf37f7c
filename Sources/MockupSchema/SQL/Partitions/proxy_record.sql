-- Returns the statements that fill the record of migrations of a proxy database, which are the same
-- for all partitions that have the same schema.
SELECT format(
  'INSERT INTO mockupd.schema_migrations VALUES (%s, %L, %L, now());', version, name, checksum)
FROM mockupd.schema_migrations
UNION ALL
SELECT format(
  'INSERT INTO mockupd.repeatable_migrations VALUES (%L, %L, %s, now());',
  name, checksum, revision)
FROM mockupd.repeatable_migrations
ORDER BY 1
