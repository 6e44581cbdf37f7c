-- Returns whether the database is a standby, and whether transactions are read-only.
SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean
