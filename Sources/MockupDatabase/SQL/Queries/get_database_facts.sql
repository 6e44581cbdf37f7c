-- Returns the versions of the schema and of PostgreSQL, and the amount of work that waits.
--
-- $1 timestamptz  now; null: the time of the database
SELECT
  (SELECT max(version)::integer FROM mockupd.schema_migrations) AS schema_version,
  version() AS database_version,
  unresolved_reservations, pending_mockups, clock.now
FROM (SELECT coalesce($1, now()) AS now) AS clock
CROSS JOIN LATERAL mockupd.waiting(clock.now)
