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
FROM public.mockup_credit_usage
-- No OR, which would keep PostgreSQL from starting the index scan after the last entry. No entry is
-- before the values that replace the nulls.
WHERE (user_id, year, sequence) > (
    coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid), coalesce($4, -2147483648),
    coalesce($5, 0))
  AND ($1 IS NULL OR year = $1)
  AND ($2 IS NULL OR month = $2)
ORDER BY user_id, year, sequence
LIMIT $6
