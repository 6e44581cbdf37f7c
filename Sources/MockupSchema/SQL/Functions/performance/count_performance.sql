-- Counts batches of pins and impressions, with the same results as if they were counted one by one.
-- Each id occurs once in p_batch_ids, with the contents p_contents[i]. The mockups that the
-- entries name are listed once, with their users. The entries of all batches are listed in the
-- order of the batches: p_entry_batches[j] is the place of an entry's batch (from 1),
-- p_entry_indexes[j] its index in the batch (from 0), and p_entry_mockups[j] the place of its
-- mockup (from 1; 0 if an id is invalid). Returns a row for each batch, with one of these outcomes:
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
  p_user_ids uuid[],
  p_mockup_ids uuid[],
  p_entry_batches integer[],
  p_entry_indexes integer[],
  p_entry_mockups integer[],
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
  -- True for each batch that is new.
  v_claimed boolean[];
  -- The counters of each mockup, null if it is unknown.
  v_pins integer[];
  v_impressions integer[];
  -- The largest of them, and the sum of all that the entries may add to one.
  v_largest bigint;
  v_sum bigint;
  -- The reason for which each entry is not counted, null if it is.
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
  SELECT array_agg(claimed.batch_id IS NOT NULL ORDER BY batch.place) INTO v_claimed
  FROM unnest(p_batch_ids) WITH ORDINALITY AS batch (id, place)
  LEFT JOIN claimed ON claimed.batch_id = batch.id;
  IF true <> ALL (v_claimed) THEN
    PERFORM mockupd.wait_for_replication();
  ELSE
    SELECT array_agg(locked.pins ORDER BY place), array_agg(locked.impressions ORDER BY place),
      max(greatest(locked.pins, locked.impressions))
    INTO v_pins, v_impressions, v_largest
    FROM unnest(p_mockup_ids) WITH ORDINALITY AS named (id, place)
    LEFT JOIN (
      SELECT named.place, greatest(m.total_pins, 0)::integer AS pins,
        greatest(m.total_impressions, 0)::integer AS impressions
      FROM unnest(p_user_ids, p_mockup_ids) WITH ORDINALITY AS named (user_id, mockup_id, place)
      JOIN public.mockups AS m ON m.id = named.mockup_id AND m.user_id = named.user_id
      ORDER BY m.id
      FOR NO KEY UPDATE OF m
    ) AS locked USING (place);

    SELECT
      array_agg(
        CASE
          WHEN NOT v_claimed[e.batch] THEN 'replayed'
          WHEN least(e.pins, e.impressions) < 0 THEN 'negative'
          WHEN v_pins[e.mockup] IS NULL THEN 'unknown_mockup'
        END ORDER BY e.place),
      sum(greatest(e.pins, e.impressions, 0))
    INTO v_reasons, v_sum
    FROM unnest(p_entry_batches, p_entry_mockups, p_pins, p_impressions)
      WITH ORDINALITY AS e (batch, mockup, pins, impressions, place);

    -- The entries are decided one by one only if a counter could exceed 32 bits.
    IF v_largest + v_sum > 2147483647 THEN
      FOR v_entry IN
        SELECT e.mockup, e.pins, e.impressions, e.place
        FROM unnest(p_entry_mockups, p_pins, p_impressions, v_reasons)
          WITH ORDINALITY AS e (mockup, pins, impressions, reason, place)
        WHERE e.reason IS NULL
        ORDER BY e.mockup, e.place
      LOOP
        IF v_entry.mockup IS DISTINCT FROM v_place THEN
          v_place := v_entry.mockup;
          v_total_pins := v_pins[v_place];
          v_total_impressions := v_impressions[v_place];
        END IF;
        IF greatest(v_total_pins + v_entry.pins, v_total_impressions + v_entry.impressions)
            > 2147483647 THEN
          v_reasons[v_entry.place] := 'counter_full';
        ELSE
          v_total_pins := v_total_pins + v_entry.pins;
          v_total_impressions := v_total_impressions + v_entry.impressions;
        END IF;
      END LOOP;
    END IF;

    UPDATE public.mockups AS m
    SET total_pins = v_pins[added.mockup] + added.pins,
      total_impressions = v_impressions[added.mockup] + added.impressions
    FROM (
      SELECT e.mockup, sum(e.pins) AS pins, sum(e.impressions) AS impressions
      FROM unnest(p_entry_mockups, p_pins, p_impressions, v_reasons)
        AS e (mockup, pins, impressions, reason)
      WHERE e.reason IS NULL
      GROUP BY e.mockup
    ) AS added
    WHERE greatest(added.pins, added.impressions) > 0
      AND m.id = p_mockup_ids[added.mockup] AND m.user_id = p_user_ids[added.mockup];

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
      WHERE v_claimed[e.batch]
      GROUP BY e.batch
    ) AS result
    WHERE b.batch_id = result.id;
  END IF;

  RETURN QUERY
  SELECT
    batch.ordinal,
    CASE
      WHEN v_claimed[batch.ordinal] THEN 'counted'
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
