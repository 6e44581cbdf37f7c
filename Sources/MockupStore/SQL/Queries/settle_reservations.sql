-- Commits or releases a batch. See mockupd.settle for what each outcome means.
--
-- $1 timestamptz  now
-- $2 uuid[]       users                        $3 uuid[]     reservation ids
-- $4 uuid[]       commit ids, null: release    $5 integer[]  credits, null: all of them
-- $6 uuid[]       ids for the ledger's rows
SELECT
  ordinal, outcome, replayed,
  (reservation).user_id, (reservation).id, (reservation).state,
  (reservation).credits, (reservation).held, (reservation).committed, (reservation).operation,
  (reservation).year, (reservation).month,
  (reservation).created_at, (reservation).expires_at, (reservation).settled_at,
  (reservation).mockup_id, (reservation).commit_id, (reservation).late,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held AS usage_held,
  (usage).monthly_used, (usage).monthly_held
FROM mockupd.settle($1, $2, $3, $4, $5, $6)
ORDER BY ordinal
