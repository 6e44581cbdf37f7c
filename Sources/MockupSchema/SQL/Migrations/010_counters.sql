-- The counters of a user's year, which make admission O(1) however long the ledger is.
--
-- Every session locks the row before it changes a reservation or writes the ledger, so that changes
-- of one user's credits are serialized. The counters are derived: mockupd.verify_counters()
-- compares them with the rows they summarize.
CREATE TABLE mockupd.credit_counters (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  year integer NOT NULL,
  -- The sums of the year's ledger by operation, and the number of its rows.
  generation bigint NOT NULL DEFAULT 0,
  regeneration bigint NOT NULL DEFAULT 0,
  refund bigint NOT NULL DEFAULT 0,
  entries bigint NOT NULL DEFAULT 0,
  -- The credits that the year's open reservations hold.
  held bigint NOT NULL DEFAULT 0,
  -- The number of the year's reservations that are held or dispatched, and of those that are
  -- unresolved. Queries find open reservations by these numbers, since no index contains a
  -- reservation's state. So a change of the state updates no index.
  open bigint NOT NULL DEFAULT 0,
  unresolved bigint NOT NULL DEFAULT 0,
  -- The used and held credits by month, with January at index 1.
  -- used = generation + regeneration - refund.
  month_used bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12]),
  month_held bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[12]),
  -- The time before which no open reservation of the year expires. It may be too early, since
  -- settling a reservation does not change it.
  due_at timestamptz NOT NULL DEFAULT 'infinity',
  PRIMARY KEY (user_id, year),
  -- One check, since PostgreSQL prepares each check again for every statement.
  CHECK (least(held, open, unresolved) >= 0
    AND cardinality(month_used) = 12 AND cardinality(month_held) = 12)
) WITH (fillfactor = 70);

-- For the sweeper, which searches for due counters. The index adds no cost to the hot path while
-- due_at is unchanged.
CREATE INDEX credit_counters_due ON mockupd.credit_counters (due_at);
-- The counters with unresolved reservations.
CREATE INDEX credit_counters_unresolved ON mockupd.credit_counters (user_id) WHERE unresolved > 0;

INSERT INTO mockupd.credit_counters
  (user_id, year, generation, regeneration, refund, entries, month_used)
SELECT
  user_id, year,
  coalesce(sum(credits) FILTER (WHERE operation = 'generation'), 0),
  coalesce(sum(credits) FILTER (WHERE operation = 'regeneration'), 0),
  coalesce(sum(credits) FILTER (WHERE operation = 'refund'), 0),
  count(*),
  ARRAY(
    SELECT coalesce(sum(
      CASE m.operation WHEN 'refund' THEN -m.credits::bigint
        WHEN 'generation' THEN m.credits WHEN 'regeneration' THEN m.credits ELSE 0 END), 0)::bigint
    FROM generate_series(1, 12) AS month (number)
    LEFT JOIN public.mockup_credit_usage AS m
      ON m.user_id = entry.user_id AND m.year = entry.year AND m.month = month.number
    GROUP BY month.number
    ORDER BY month.number
  )
FROM public.mockup_credit_usage AS entry
GROUP BY user_id, year;

GRANT SELECT ON mockupd.credit_counters TO mockupd_service;
