-- Alerts: a row each time that the used and held credits of a user reach a threshold, 50, 80, 90 or
-- 100 % of the annual budget, or of the soft limit in a month.

ALTER TABLE mockupd.credit_counters
  -- The number of thresholds (0 to 4) that the credits had reached when the counters were changed
  -- last: in the year, and in each month. Users who are above a threshold when this migration runs
  -- get an alert when their counters change the next time.
  ADD COLUMN year_level smallint NOT NULL DEFAULT 0,
  ADD COLUMN month_levels smallint[] NOT NULL DEFAULT array_fill(0::smallint, ARRAY[12]);

CREATE TABLE mockupd.alerts (
  -- The position among all alerts.
  id bigint PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  -- The threshold, in percent: of the year's budget if month is null, and else of the month's soft
  -- limit.
  threshold smallint NOT NULL,
  year integer NOT NULL,
  month integer,
  -- The used and held credits, and the budget or the soft limit.
  credits bigint NOT NULL,
  credit_limit integer NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (threshold IN (50, 80, 90, 100) AND month BETWEEN 1 AND 12)
);

CREATE INDEX alerts_user ON mockupd.alerts (user_id, id);

-- One row: the id of the last alert. Its lock puts the alerts in the order in which they become
-- visible.
CREATE TABLE mockupd.alert_feed (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  last_id bigint NOT NULL
) WITH (fillfactor = 70);

INSERT INTO mockupd.alert_feed (last_id) VALUES (0);

GRANT SELECT ON mockupd.alerts, mockupd.alert_feed TO mockupd_service;
