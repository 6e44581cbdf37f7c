-- Returns a chunk of the ledgers of all users, ordered by user and then from the oldest entry.
--
-- $1 integer  the year; null: all years          $2 integer  the month; null: all months
-- $3 uuid     and $4 integer, $5 bigint: user, year and sequence of the previous chunk's last
--             entry, or null
-- $6 integer  maximum number of entries
SELECT
  id, user_id, sequence, credits::integer, operation, balance_before::integer,
  balance_after::integer, year::integer, month::integer,
  created_at, mockup_id, reservation_id, late, overrun::integer, refunded_entry_id
FROM mockupd.export_ledger($1, $2, $3, $4, $5, $6)
