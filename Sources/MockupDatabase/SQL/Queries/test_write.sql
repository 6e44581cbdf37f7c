-- Writes a message to the write-ahead log and commits, which waits for the synchronous standbys.
SELECT mockupd.wait_for_replication()
