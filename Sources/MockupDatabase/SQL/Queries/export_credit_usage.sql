-- Returns a chunk of a user's ledger, the oldest entry first.
--
-- $1 uuid     user
-- $2 integer  the year; null: all years          $3 integer  the month; null: all months
-- $4 integer  and $5 bigint: year and sequence of the previous chunk's last entry, or null
-- $6 integer  maximum number of entries
SELECT
  id, user_id, sequence, credits::integer, operation, balance_before::integer,
  balance_after::integer, year::integer, month::integer,
  created_at, mockup_id, reservation_id, late, overrun::integer, refunded_entry_id
FROM mockupd.export_credit_usage($1, $2, $3, $4, $5, $6)
