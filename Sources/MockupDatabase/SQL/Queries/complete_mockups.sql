-- Completes mockups. See mockupd.complete_mockups for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
--
-- One element for each request:
-- $2 uuid[]       users                       $3 uuid[]    mockups
-- $4 integer[]    attempt numbers
-- $5 text[]       file URLs                   $6 text[]    file keys
-- $7 text[]       thumbnail URLs, or null     $8 text[]    render ids, or null
-- $9 text[]       metadata as JSON, or null   $10 float8[] quality scores, or null
-- $11 integer[]   credits; null: all held
-- $12 boolean[]   whether the charge may exceed the held credits
-- $13 uuid[]      ids for the ledger entries
SELECT
  outcome, replayed,
  (mockup).user_id, (mockup).id, (mockup).asset_id, (mockup).quote_id, (mockup).scene,
  (mockup).scene_config::text, (mockup).status,
  (mockup).file_url, (mockup).file_key, (mockup).thumbnail_url, (mockup).dm_render_id,
  nullif((mockup).dm_metadata, '{}')::text, (mockup).quality_score::float8,
  (mockup).credits_used::integer, (mockup).error_message, (mockup).total_pins::integer,
  (mockup).total_impressions::integer,
  (mockup).created_at, (mockup).updated_at, coalesce((job).attempt, 0), (job).reservation_id,
  (reservation).state, (reservation).year, (reservation).month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.complete_mockups($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ORDER BY ordinal
