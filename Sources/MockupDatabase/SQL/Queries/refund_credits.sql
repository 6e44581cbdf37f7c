-- Makes a batch of refunds. See mockupd.refund for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]       users                          $3 uuid[]     refund ids
-- $4 uuid[]       ledger entries of the charges  $5 integer[]  credits; null: all that are left
-- $6 uuid[]       ids for the ledger entries
SELECT
  outcome, replayed,
  (entry).id, (entry).user_id, (entry).sequence, (entry).credits::integer, (entry).operation,
  (entry).balance_before::integer, (entry).balance_after::integer, (entry).year::integer,
  (entry).month::integer, (entry).created_at, (entry).mockup_id, (entry).reservation_id,
  (entry).late, (entry).overrun::integer,
  (entry).refunded_entry_id,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.refund($1, $2, $3, $4, $5, $6)
ORDER BY ordinal
