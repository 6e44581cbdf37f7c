-- Requests mockups. See mockupd.generate_mockups for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user                        $3 uuid     request id
-- $4 uuid[]       assets                      $5 text[]   scene keys
-- $6 boolean      whether to skip approval    $7 uuid     quote, or null
-- $8 integer      credits for each mockup     $9 integer  time to live in seconds
-- $10 uuid[]      ids for the mockups         $11 uuid[]  ids for their reservations
SELECT
  outcome, replayed, asset_id, scene, mockup_id, reservation_id, failure, status, file_url,
  credits_used, year, month,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.generate_mockups($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
