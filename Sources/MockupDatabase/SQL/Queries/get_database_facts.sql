-- Returns the versions of the schema and of PostgreSQL, and the amount of work that waits.
--
-- $1 timestamptz  now
SELECT
  (SELECT max(version)::integer FROM mockupd.schema_migrations) AS schema_version,
  version() AS database_version,
  unresolved_reservations, pending_mockups
FROM mockupd.waiting($1)
