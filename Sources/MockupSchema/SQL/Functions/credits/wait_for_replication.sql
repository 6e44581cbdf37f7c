-- Makes the commit of the transaction wait for the synchronous standbys, even if the transaction
-- has written nothing else.
--
-- A retry is answered from rows of an earlier transaction. Its rows are visible although they may
-- not be on a standby yet, if PostgreSQL stopped waiting for one when that transaction committed.
-- PostgreSQL waits at a commit only if the transaction has written. Most functions lock a row
-- before they answer a retry, which counts. Functions that lock none call this one. The server also
-- calls it to find out whether commits complete; it fails in a read-only transaction, although the
-- message could be written. A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.wait_for_replication(p_partition integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE read_only_sql_transaction USING MESSAGE = 'the transaction is read-only';
  END IF;
  -- A message in the write-ahead log, which nothing reads.
  PERFORM pg_logical_emit_message(true, 'mockupd', ''::text);
END
$$;

REVOKE ALL ON FUNCTION mockupd.wait_for_replication
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.wait_for_replication TO mockupd_service;
