-- A page of a user's ledger, the newest entry first.
--
-- $1 uuid     user
-- $2 integer  only this year, null: all     $3 integer  only this month, null: all
-- $4 integer  and $5 bigint: year and sequence of the last entry of the page before, or null
-- $6 integer  how many
SELECT
  id, user_id, sequence, credits::integer, operation, balance_before::integer,
  balance_after::integer, year::integer, month::integer,
  created_at, mockup_id, reservation_id, late, overrun::integer, refunded_entry_id
FROM public.mockup_credit_usage
WHERE user_id = $1
  AND ($2 IS NULL OR year = $2)
  AND ($3 IS NULL OR month = $3)
  AND ($4 IS NULL OR (year, sequence) < ($4, $5))
ORDER BY year DESC, sequence DESC
LIMIT $6
