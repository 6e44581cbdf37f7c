-- Reservations, and the commits and refunds that follow them.

-- A user's credits at one moment. Calls return it, and reservations store it so that a retried call
-- gets the same response.
CREATE TYPE mockupd.usage AS (
  annual_budget integer,
  monthly_soft_limit integer,
  generation bigint,
  regeneration bigint,
  refund bigint,
  held bigint,
  monthly_used bigint,
  monthly_held bigint
);

CREATE TABLE mockupd.reservations (
  -- There is no foreign key, which would look up the user for each row. The session that makes a
  -- reservation has locked the user's counters, which refer to the user.
  user_id uuid NOT NULL,
  -- The idempotency key: made by the client, unique for the user, kept forever.
  id uuid NOT NULL,
  -- The request, as it was sent.
  credits integer NOT NULL,
  operation text NOT NULL,
  mode text NOT NULL,
  time_to_live integer NOT NULL, -- seconds
  mockup_id uuid, -- no foreign key: the request stays as it was when its mockup is deleted
  group_id uuid, -- reservations that are released together
  -- The budget it is charged to, in UTC, fixed when it is made.
  year integer NOT NULL,
  month integer NOT NULL,
  state text NOT NULL,
  -- The credits that were reserved. In the mode best_effort they may be fewer than were requested.
  granted integer NOT NULL,
  -- The credits that are still held.
  held integer NOT NULL,
  -- The credits that commits spent, and the part of them that exceeds what was granted.
  committed integer NOT NULL DEFAULT 0,
  overrun integer NOT NULL DEFAULT 0,
  late boolean NOT NULL DEFAULT false,
  -- True if mockupd.commits has rows of the reservation.
  has_commits boolean NOT NULL DEFAULT false,
  -- The commit that settled the reservation, and its ledger row; null if it was released.
  commit_id uuid,
  entry_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  dispatched_at timestamptz,
  settled_at timestamptz,
  reserved_usage mockupd.usage NOT NULL,
  settled_usage mockupd.usage,
  PRIMARY KEY (user_id, id),
  -- One check for everything, since PostgreSQL prepares each check again for every statement.
  -- Commits exceed what was granted only by their overrun. An open reservation holds the credits
  -- that it has not spent, which may be 0. Other reservations hold 0.
  CHECK (
    credits > 0 AND operation IN ('generation', 'regeneration')
    AND mode IN ('normal', 'best_effort')
    AND time_to_live > 0 AND month BETWEEN 1 AND 12 AND granted <= credits
    AND overrun BETWEEN 0 AND committed AND committed - overrun <= granted
    AND CASE
      WHEN state IN ('held', 'dispatched', 'unresolved')
        THEN granted > 0 AND held = granted - (committed - overrun)
      WHEN state = 'committed' THEN granted > 0 AND held = 0 AND committed > 0
      WHEN state = 'released' THEN granted > 0 AND held = 0 AND committed = 0
      WHEN state = 'expired' THEN granted > 0 AND held = 0
      WHEN state = 'refused' THEN granted = 0 AND held = 0 AND committed = 0
      ELSE false
    END)
) WITH (fillfactor = 35);

-- No index contains a column that changes, such as the state or the expiry. So settling a
-- reservation updates no index if its page has space for the new row version (see the fill factor
-- above).
CREATE INDEX reservations_group ON mockupd.reservations (user_id, group_id)
  WHERE group_id IS NOT NULL;
CREATE INDEX reservations_mockup ON mockupd.reservations (user_id, mockup_id)
  WHERE mockup_id IS NOT NULL;
-- The order in which reservations are listed, and in which open reservations are found, which are
-- among the newest. Reservations of the same instant are sorted when they are read. The condition
-- is true for every row. It prevents a plan that was made while there were few rows from using this
-- index instead of the primary key, which would read all reservations of a user for each request.
CREATE INDEX reservations_created ON mockupd.reservations (user_id, created_at)
  WHERE created_at > '-infinity';

GRANT SELECT ON mockupd.reservations TO mockupd_service;

-- Commits by their ids, kept forever: the request, its effect, and the reservation after it, so
-- that a retried commit gets the same response.
--
-- A final commit that does not allow an overrun, and is the only commit of its reservation, has no
-- row here. It is stored in the row of the reservation.
CREATE TABLE mockupd.commits (
  user_id uuid NOT NULL,
  reservation_id uuid NOT NULL,
  id uuid NOT NULL,
  final boolean NOT NULL,
  allow_overrun boolean NOT NULL,
  -- True if it requested all credits that were left, explicitly or by their number.
  whole boolean NOT NULL,
  credits integer NOT NULL, -- spent
  overrun integer NOT NULL,
  released integer NOT NULL, -- given back
  late boolean NOT NULL,
  entry_id uuid, -- its ledger row
  created_at timestamptz NOT NULL,
  -- The reservation after it.
  state text NOT NULL,
  held_after integer NOT NULL,
  committed_after integer NOT NULL,
  overrun_after integer NOT NULL,
  expires_at timestamptz NOT NULL,
  dispatched_at timestamptz,
  usage mockupd.usage NOT NULL,
  PRIMARY KEY (user_id, reservation_id, id),
  FOREIGN KEY (user_id, reservation_id)
    REFERENCES mockupd.reservations (user_id, id) ON DELETE CASCADE,
  CHECK (
    credits >= 0 AND overrun BETWEEN 0 AND credits AND released >= 0
    AND (entry_id IS NULL) = (credits = 0))
);

GRANT SELECT ON mockupd.commits TO mockupd_service;

-- Refunds by their ids, kept forever.
CREATE TABLE mockupd.refunds (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  charge_id uuid NOT NULL, -- the ledger row of the charge that it gives back, fully or partly
  whole boolean NOT NULL, -- as in commits
  credits integer NOT NULL CHECK (credits > 0),
  entry_id uuid NOT NULL, -- the ledger row of the refund
  usage mockupd.usage NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- The refunds of a charge.
CREATE INDEX refunds_charge ON mockupd.refunds (user_id, charge_id);

GRANT SELECT ON mockupd.refunds TO mockupd_service;
