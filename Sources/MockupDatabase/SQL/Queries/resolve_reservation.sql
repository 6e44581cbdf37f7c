-- Settles an unresolved reservation. See mockupd.resolve_reservation. For a trial, the same
-- statement calls mockupd.try_resolve_reservation.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid         user                            $3 uuid     reservation id
-- $4 uuid         resolution id                   $5 integer  credits; 0: release all
-- $6 boolean      whether the charge may exceed the held credits
-- $7 uuid         id for the ledger entry
SELECT
  1::bigint AS ordinal, outcome, replayed,
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
FROM mockupd.resolve_reservation($1, $2, $3, $4, $5, $6, $7)
