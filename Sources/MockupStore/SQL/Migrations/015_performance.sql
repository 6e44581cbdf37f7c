-- Performance: pins and impressions, in batches that count once.

CREATE TABLE mockupd.performance_batches (
  -- Made by the client, unique for all users: a batch may hold several users' mockups.
  batch_id uuid PRIMARY KEY,
  -- SHA-256 of its entries, by which a second batch of one id is told from the first one again.
  digest bytea NOT NULL,
  -- The answer: how many entries were counted, and which were not, from 0, and why.
  counted integer NOT NULL DEFAULT 0,
  refused_indexes integer[] NOT NULL DEFAULT '{}',
  refusals text[] NOT NULL DEFAULT '{}',
  received_at timestamptz NOT NULL,
  CHECK (cardinality(refused_indexes) = cardinality(refusals))
);

-- What happens with batches happens in one transaction, in three steps: they are claimed, their
-- mockups are locked, and what the mockups have room for is counted. Between the second step and the
-- third the caller decides about each entry, knowing that nobody else changes the counters.
--
-- Everybody takes batches before mockups, and each of the two in the order of its ids: so nobody waits
-- in a circle.

-- Claims ids for batches with these contents, no id twice. Waits for others who claim the same. One row
-- for each:
--
--   claimed               nobody had it: now it is the caller's to count
--   replayed              it was counted, with the first answer
--   conflicting_entries   it was counted with other contents
CREATE FUNCTION mockupd.claim_performance_batches(
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
    SELECT batch.id, sha256(batch.contents), p_now
    FROM unnest(p_batch_ids, p_contents) AS batch (id, contents)
    ORDER BY batch.id
    ON CONFLICT DO NOTHING
    RETURNING batch_id
  )
  SELECT coalesce(array_agg(batch_id), '{}') INTO v_claimed FROM claimed;

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

-- Locks the mockups ids[i] of user_ids[i] until the transaction ends, and says how they stand. One row
-- for each that there is. Counters that old data has below 0 are counted from 0.
CREATE FUNCTION mockupd.lock_performance(p_user_ids uuid[], p_mockup_ids uuid[])
RETURNS TABLE (mockup_id uuid, user_id uuid, total_pins integer, total_impressions integer)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
  SELECT
    m.id, m.user_id, greatest(m.total_pins, 0)::integer, greatest(m.total_impressions, 0)::integer
  FROM unnest(p_user_ids, p_mockup_ids) AS entry (user_id, id)
  JOIN public.mockups AS m ON m.id = entry.id AND m.user_id = entry.user_id
  ORDER BY m.id
  FOR NO KEY UPDATE OF m
$$;

-- Counts pins[i] and impressions[i] for the mockup ids[i] of user_ids[i], no mockup twice, and keeps the
-- answers of batches that the transaction has claimed. refused_batch_ids[i] says whose entry
-- refused_indexes[i] was not counted, and refusals[i] why. Counters never wrap: a sum that 32 bits do
-- not hold is an error, and nothing changes.
CREATE FUNCTION mockupd.record_performance(
  p_user_ids uuid[],
  p_mockup_ids uuid[],
  p_pins integer[],
  p_impressions integer[],
  p_batch_ids uuid[],
  p_counted integer[],
  p_refused_batch_ids uuid[],
  p_refused_indexes integer[],
  p_refusals text[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
  UPDATE public.mockups AS m
  SET total_pins = greatest(m.total_pins, 0) + entry.pins,
    total_impressions = greatest(m.total_impressions, 0) + entry.impressions
  FROM unnest(p_user_ids, p_mockup_ids, p_pins, p_impressions)
    AS entry (user_id, id, pins, impressions)
  WHERE m.id = entry.id AND m.user_id = entry.user_id;

  UPDATE mockupd.performance_batches AS b
  SET counted = answer.counted,
    refused_indexes = coalesce(refused.indexes, '{}'),
    refusals = coalesce(refused.reasons, '{}')
  FROM unnest(p_batch_ids, p_counted) AS answer (batch_id, counted)
  LEFT JOIN (
    SELECT
      entry.batch_id,
      array_agg(entry.index ORDER BY entry.index) AS indexes,
      array_agg(entry.reason ORDER BY entry.index) AS reasons
    FROM unnest(p_refused_batch_ids, p_refused_indexes, p_refusals)
      AS entry (batch_id, index, reason)
    GROUP BY entry.batch_id
  ) AS refused ON refused.batch_id = answer.batch_id
  WHERE b.batch_id = answer.batch_id;
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.claim_performance_batches(timestamptz, uuid[], bytea[]),
  mockupd.lock_performance(uuid[], uuid[]),
  mockupd.record_performance(
    uuid[], uuid[], integer[], integer[], uuid[], integer[], uuid[], integer[], text[])
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.claim_performance_batches(timestamptz, uuid[], bytea[]),
  mockupd.lock_performance(uuid[], uuid[]),
  mockupd.record_performance(
    uuid[], uuid[], integer[], integer[], uuid[], integer[], uuid[], integer[], text[])
TO mockupd_service;
