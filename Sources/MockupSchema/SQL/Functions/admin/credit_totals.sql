-- Returns the totals of the credits in the year of p_now (null: the time of the database), over the
-- users with counters of that year, the amount of work that waits, and the time. The server reads
-- it every few seconds for its metrics. Open reservations of the year before count, too.
--
-- Reads the counters, the settings of their users, small partial indexes, and the rows of queued
-- mockups and their reservations, and never the ledger. Reservations that are due and not yet
-- expired count as the counters have them, except that dispatched ones count as unresolved.
CREATE OR REPLACE FUNCTION mockupd.credit_totals(p_now timestamptz)
RETURNS TABLE (
  users bigint,
  annual_budget bigint,
  used bigint,
  held bigint,
  users_above_soft_limit bigint,
  users_exhausted bigint,
  open_reservations bigint,
  unresolved_reservations bigint,
  oldest_unresolved_at timestamptz,
  pending_mockups bigint,
  oldest_pending_at timestamptz,
  leased_mockups bigint,
  read_at timestamptz
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_year integer;
  v_month integer;
BEGIN
  p_now := coalesce(p_now, now());
  read_at := p_now;
  v_year := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month := extract(month FROM p_now AT TIME ZONE 'UTC');
  SELECT count(*), coalesce(sum(u.annual), 0), coalesce(sum(u.used), 0), coalesce(sum(u.held), 0),
    count(*) FILTER (WHERE u.monthly_drawn > u.monthly),
    count(*) FILTER (WHERE u.annual - u.used - u.held <= 0)
  INTO users, annual_budget, used, held, users_above_soft_limit, users_exhausted
  FROM (
    SELECT c.held, c.generation + c.regeneration - c.refund AS used,
      c.month_used[v_month] + c.month_held[v_month] AS monthly_drawn,
      coalesce(b.annual, mockupd.default_annual_budget()) AS annual,
      coalesce(b.monthly, mockupd.default_soft_limit()) AS monthly
    FROM mockupd.credit_counters AS c
    -- On Supabase, a user may have several rows of settings.
    LEFT JOIN (
      SELECT DISTINCT ON (b.user_id) b.* FROM mockupd.user_budgets AS b ORDER BY b.user_id
    ) AS b ON b.user_id = c.user_id
    WHERE c.year = v_year
  ) AS u;

  SELECT coalesce(sum(c.open), 0) INTO open_reservations
  FROM mockupd.credit_counters AS c WHERE c.year IN (v_year - 1, v_year);

  SELECT count(*), min(r.expires_at) INTO unresolved_reservations, oldest_unresolved_at
  FROM mockupd.unresolved_reservations(p_now) AS r;

  SELECT count(*), min(m.requested_at) INTO pending_mockups, oldest_pending_at
  FROM mockupd.claimable_mockups(p_now) AS m;

  SELECT count(*) INTO leased_mockups FROM mockupd.mockup_jobs AS j WHERE j.state = 'leased';
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.credit_totals
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.credit_totals TO mockupd_service;
