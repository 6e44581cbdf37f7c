-- Claims batch ids for the given contents. Each id occurs once in the array. Waits for other
-- sessions that claim the same ids. Returns a row for each batch, with one of these outcomes:
--
--   claimed               the id is new, and the caller must count the batch
--   replayed              the batch was counted before; with the first result
--   conflicting_entries   a batch with this id and other contents was counted before
--
-- A batch is processed in one transaction, in three steps: claim_performance_batches(),
-- lock_performance() and record_performance(). Between the last two, the caller decides on each
-- entry, while no other session can change the counters. Every caller locks batches before mockups,
-- and both in the order of their ids, so that no deadlock is possible.
CREATE OR REPLACE FUNCTION mockupd.claim_performance_batches(
  p_now timestamptz,
  p_batch_ids uuid[],
  p_contents bytea[]
) RETURNS TABLE (
  ordinal bigint,
  outcome text,
  counted integer,
  refused_indexes integer[],
  refusals text[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_claimed uuid[];
BEGIN
  WITH claimed AS (
    INSERT INTO mockupd.performance_batches (batch_id, digest, received_at)
    SELECT batch.id, sha256(batch.contents), coalesce(p_now, clock_timestamp())
    FROM unnest(p_batch_ids, p_contents) AS batch (id, contents)
    ORDER BY batch.id
    ON CONFLICT DO NOTHING
    RETURNING batch_id
  )
  SELECT coalesce(array_agg(batch_id), '{}') INTO v_claimed FROM claimed;
  IF v_claimed = '{}' THEN
    PERFORM mockupd.wait_for_replication();
  END IF;

  RETURN QUERY
  SELECT
    batch.ordinal,
    CASE
      WHEN batch.id = ANY (v_claimed) THEN 'claimed'
      WHEN b.digest = sha256(batch.contents) THEN 'replayed'
      ELSE 'conflicting_entries'
    END,
    b.counted, b.refused_indexes, b.refusals
  FROM unnest(p_batch_ids, p_contents) WITH ORDINALITY AS batch (id, contents, ordinal)
  JOIN mockupd.performance_batches AS b ON b.batch_id = batch.id;
END
$$;

REVOKE ALL ON FUNCTION mockupd.claim_performance_batches
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.claim_performance_batches TO mockupd_service;
