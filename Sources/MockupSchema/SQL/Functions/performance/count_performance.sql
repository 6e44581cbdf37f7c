-- Counts batches of pins and impressions, with the same results as if they were counted one by one.
-- Each id occurs once in p_batch_ids, with the contents p_contents[i]. The entries of all batches
-- are listed in the order of the batches: p_entry_batches[j] is the place of an entry's batch (from
-- 1), and p_entry_indexes[j] its index in the batch (from 0). Returns a row for each batch, with
-- one of these outcomes:
--
--   counted               with the entries that were refused, and the reasons
--   replayed              the batch was counted before; with the first result
--   conflicting_entries   a batch with this id and other contents was counted before
--
-- An entry is refused on its own: negative, unknown_mockup, or counter_full if it would exceed
-- 32 bits. A negative counter, which rows of the initial schema may have, counts as 0.
--
-- Waits for other sessions that count the same batches or mockups. Every session locks batches
-- before mockups, and both in the order of their ids, so that no deadlock is possible.
--
-- A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.count_performance(
  p_now timestamptz,
  p_batch_ids uuid[],
  p_contents bytea[],
  p_entry_batches integer[],
  p_entry_indexes integer[],
  p_user_ids uuid[],
  p_mockup_ids uuid[],
  p_pins integer[],
  p_impressions integer[],
  p_partition integer DEFAULT 0
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
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_claimed uuid[];
  -- The locked mockups, with their counters.
  v_mockup_ids uuid[];
  v_user_ids uuid[];
  v_pins integer[];
  v_impressions integer[];
  -- The place of each entry's mockup among them, null if it is not counted, and the reason.
  v_places integer[];
  v_reasons text[];
  v_entry record;
  v_place integer;
  v_total_pins bigint;
  v_total_impressions bigint;
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
  ELSE
    SELECT array_agg(l.id), array_agg(l.user_id), array_agg(l.pins), array_agg(l.impressions)
    INTO v_mockup_ids, v_user_ids, v_pins, v_impressions
    FROM (
      SELECT m.id, m.user_id, greatest(m.total_pins, 0)::integer AS pins,
        greatest(m.total_impressions, 0)::integer AS impressions
      FROM (
        SELECT DISTINCT e.user_id, e.mockup_id
        FROM unnest(p_entry_batches, p_user_ids, p_mockup_ids) AS e (batch, user_id, mockup_id)
        WHERE p_batch_ids[e.batch] = ANY (v_claimed)
      ) AS named
      JOIN public.mockups AS m ON m.id = named.mockup_id AND m.user_id = named.user_id
      ORDER BY m.id
      FOR NO KEY UPDATE OF m
    ) AS l;

    SELECT
      array_agg(CASE WHEN e.is_valid THEN m.place::integer END ORDER BY e.place),
      array_agg(CASE WHEN NOT e.is_valid THEN 'negative' WHEN m.id IS NULL THEN 'unknown_mockup' END
        ORDER BY e.place)
    INTO v_places, v_reasons
    FROM (
      SELECT e.*, e.pins >= 0 AND e.impressions >= 0 AS is_valid
      FROM unnest(p_entry_batches, p_user_ids, p_mockup_ids, p_pins, p_impressions)
        WITH ORDINALITY AS e (batch, user_id, mockup_id, pins, impressions, place)
    ) AS e
    LEFT JOIN unnest(v_mockup_ids, v_user_ids) WITH ORDINALITY AS m (id, user_id, place)
      ON m.id = e.mockup_id AND m.user_id = e.user_id
        AND p_batch_ids[e.batch] = ANY (v_claimed);

    -- The entries of mockups whose counters would exceed 32 bits, decided one by one.
    FOR v_entry IN
      SELECT e.mockup, e.pins, e.impressions, e.place
      FROM (
        SELECT e.*,
          v_pins[e.mockup] + sum(e.pins) OVER of_mockup AS all_pins,
          v_impressions[e.mockup] + sum(e.impressions) OVER of_mockup AS all_impressions
        FROM unnest(v_places, p_pins, p_impressions)
          WITH ORDINALITY AS e (mockup, pins, impressions, place)
        WHERE e.mockup IS NOT NULL
        WINDOW of_mockup AS (PARTITION BY e.mockup)
      ) AS e
      WHERE greatest(e.all_pins, e.all_impressions) > 2147483647
      ORDER BY e.mockup, e.place
    LOOP
      IF v_entry.mockup IS DISTINCT FROM v_place THEN
        v_place := v_entry.mockup;
        v_total_pins := v_pins[v_place];
        v_total_impressions := v_impressions[v_place];
      END IF;
      IF greatest(v_total_pins + v_entry.pins, v_total_impressions + v_entry.impressions)
          > 2147483647 THEN
        v_places[v_entry.place] := NULL;
        v_reasons[v_entry.place] := 'counter_full';
      ELSE
        v_total_pins := v_total_pins + v_entry.pins;
        v_total_impressions := v_total_impressions + v_entry.impressions;
      END IF;
    END LOOP;

    UPDATE public.mockups AS m
    SET total_pins = v_pins[added.mockup] + added.pins,
      total_impressions = v_impressions[added.mockup] + added.impressions
    FROM (
      SELECT e.mockup, sum(e.pins) AS pins, sum(e.impressions) AS impressions
      FROM unnest(v_places, p_pins, p_impressions) AS e (mockup, pins, impressions)
      WHERE e.mockup IS NOT NULL
      GROUP BY e.mockup
    ) AS added
    WHERE greatest(added.pins, added.impressions) > 0
      AND m.id = v_mockup_ids[added.mockup] AND m.user_id = v_user_ids[added.mockup];

    UPDATE mockupd.performance_batches AS b
    SET counted = result.counted,
      refused_indexes = coalesce(result.refused_indexes, '{}'),
      refusals = coalesce(result.refusals, '{}')
    FROM (
      SELECT p_batch_ids[e.batch] AS id,
        count(*) FILTER (WHERE e.reason IS NULL) AS counted,
        array_agg(e.index ORDER BY e.index) FILTER (WHERE e.reason IS NOT NULL) AS refused_indexes,
        array_agg(e.reason ORDER BY e.index) FILTER (WHERE e.reason IS NOT NULL) AS refusals
      FROM unnest(p_entry_batches, p_entry_indexes, v_reasons) AS e (batch, index, reason)
      GROUP BY e.batch
    ) AS result
    WHERE b.batch_id = result.id AND b.batch_id = ANY (v_claimed);
  END IF;

  RETURN QUERY
  SELECT
    batch.ordinal,
    CASE
      WHEN batch.id = ANY (v_claimed) THEN 'counted'
      WHEN b.digest = sha256(batch.contents) THEN 'replayed'
      ELSE 'conflicting_entries'
    END,
    b.counted, b.refused_indexes, b.refusals
  FROM unnest(p_batch_ids, p_contents) WITH ORDINALITY AS batch (id, contents, ordinal)
  JOIN mockupd.performance_batches AS b ON b.batch_id = batch.id;
END
$$;

REVOKE ALL ON FUNCTION mockupd.count_performance
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.count_performance TO mockupd_service;
