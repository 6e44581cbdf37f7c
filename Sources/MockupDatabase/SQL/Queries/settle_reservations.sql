-- Dispatches, extends, commits or releases each of several reservations. See mockupd.settle for the
-- outcomes. To settle all of them or none, the same statement calls mockupd.settle_all.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]       users                            $3 uuid[]     reservation ids
-- $4 text[]       actions: dispatch, extend, commit, release
-- $5 uuid[]       commit ids                       $6 integer[]  credits; null: all that are left
-- $7 boolean[]    whether each commit is final     $8 boolean[]  whether each commit may overrun
-- $9 integer[]    times to live in seconds         $10 uuid[]    ids for the ledger entries
SELECT
  ordinal, outcome, replayed,
  (reservation).user_id, (reservation).id, (reservation).state,
  (reservation).credits, (reservation).granted, (reservation).held, (reservation).committed,
  (reservation).overrun AS reservation_overrun, (reservation).operation,
  (reservation).year, (reservation).month,
  (reservation).created_at, (reservation).expires_at, (reservation).dispatched_at,
  (reservation).settled_at, (reservation).mockup_id, (reservation).group_id,
  (reservation).commit_id, (reservation).late AS reservation_late,
  (usage).annual_budget, (usage).monthly_soft_limit,
  (usage).generation, (usage).regeneration, (usage).refund, (usage).held AS usage_held,
  (usage).monthly_used, (usage).monthly_held,
  charged, overrun, released, late
FROM mockupd.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ORDER BY ordinal
