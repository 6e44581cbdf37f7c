-- Writes a message to the write-ahead log and commits, which waits for the synchronous standbys.
--
-- $1 integer  partition of a proxy database; otherwise 0
SELECT mockupd.wait_for_replication($1)
