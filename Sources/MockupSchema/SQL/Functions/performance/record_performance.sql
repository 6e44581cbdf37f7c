-- Adds p_pins[i] and p_impressions[i] to the mockup p_mockup_ids[i] of p_user_ids[i]. Each mockup
-- occurs at most once in the arrays. Counters never wrap: a sum that exceeds 32 bits is an error,
-- and nothing changes.
--
-- Also stores the results of the batches that the transaction has claimed: p_counted[i] entries of
-- the batch p_batch_ids[i] were counted. The entry p_refused_indexes[i] of the batch
-- p_refused_batch_ids[i] was not counted, for the reason p_refusals[i].
CREATE OR REPLACE FUNCTION mockupd.record_performance(
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

REVOKE ALL ON FUNCTION mockupd.record_performance
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.record_performance TO mockupd_service;
