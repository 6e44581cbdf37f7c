-- Returns the versions of the schema and of PostgreSQL, and the amount of work that waits.
-- See mockupd.database_facts.
--
-- $1 timestamptz  now; null: the time of the database
SELECT schema_version, database_version, unresolved_reservations, pending_mockups, read_at
FROM mockupd.database_facts($1)
