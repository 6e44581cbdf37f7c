-- The schema of the peers: a conventional service that calls one function for each request, with
-- counters in the user's row, a row for each reservation, and a ledger. The benchmarks compare with
-- it, so it is as fast as a correct schema can be. It has no expiry and no change of year, and its
-- only monthly figure is the credits spent.
--
--   psql -v users=1000 -f peer.sql URL
--
-- recreates the schema, with that number of users (by default 1000), who never run out of credits.
\set ON_ERROR_STOP on
\if :{?users}
\else
  \set users 1000
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;

-- Half of each page is free, so that an update stays on its page and touches no index.
CREATE TABLE peer.users (
  id uuid PRIMARY KEY,
  annual_budget bigint NOT NULL,
  monthly_soft_limit bigint NOT NULL DEFAULT 292,
  -- The credits spent by operation, and those held by open reservations.
  generation bigint NOT NULL DEFAULT 0,
  regeneration bigint NOT NULL DEFAULT 0,
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE peer.reservations (
  -- The idempotency key, made by the client.
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES peer.users (id),
  credits integer NOT NULL CHECK (credits > 0),
  operation text NOT NULL,
  state text NOT NULL,
  -- The credits available after the reservation, for the response to a retry.
  remaining integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  settled_at timestamptz
);

CREATE INDEX reservations_created ON peer.reservations (user_id, created_at);

-- A reservation is charged once, so its id is the primary key.
CREATE TABLE peer.ledger (
  reservation_id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES peer.users (id),
  credits integer NOT NULL CHECK (credits > 0),
  operation text NOT NULL,
  -- The credits available after the charge, for the response to a retry.
  remaining integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ledger_created ON peer.ledger (user_id, created_at);

-- Reserves credits. Errors: no_data_found for an unknown user, unique_violation for an id that was
-- used for another request.
--
-- The counters are updated first: their lock serializes the requests of a user, and the foreign key
-- then finds the row locked. A retry is detected by the insert, so that a new id, the usual case,
-- costs no look-up; the credits that were reserved for a retry are given back.
--
-- The language is plpgsql, which keeps plans; an SQL function would be planned for each call.
CREATE FUNCTION peer.reserve(
  p_user_id uuid, p_id uuid, p_credits integer, p_operation text, p_time_to_live integer,
  OUT success boolean, OUT remaining integer, OUT message text, OUT replayed boolean
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
  v_available bigint;
  v_made peer.reservations;
BEGIN
  replayed := false;
  LOOP
    UPDATE peer.users SET held = held + p_credits
    WHERE id = p_user_id AND annual_budget - generation - regeneration - held >= p_credits
    RETURNING annual_budget - generation - regeneration - held INTO v_available;
    success := FOUND;
    EXIT WHEN success;

    SELECT annual_budget - generation - regeneration - held INTO v_available
    FROM peer.users WHERE id = p_user_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RAISE no_data_found USING MESSAGE = 'the user is unknown';
    END IF;
    -- Otherwise credits became available in between: try again.
    EXIT WHEN v_available < p_credits;
  END LOOP;
  remaining := least(v_available, 2147483647);

  INSERT INTO peer.reservations (id, user_id, credits, operation, state, remaining, expires_at)
  VALUES (
    p_id, p_user_id, p_credits, p_operation, CASE WHEN success THEN 'held' ELSE 'refused' END,
    remaining, now() + make_interval(secs => p_time_to_live))
  ON CONFLICT (id) DO NOTHING;

  IF NOT FOUND THEN
    IF success THEN
      UPDATE peer.users SET held = held - p_credits WHERE id = p_user_id;
    END IF;
    SELECT * INTO v_made FROM peer.reservations WHERE id = p_id;
    IF (v_made.user_id, v_made.credits, v_made.operation)
      <> (p_user_id, p_credits, p_operation) THEN
      RAISE unique_violation
        USING MESSAGE = 'the reservation id was used for another request';
    END IF;
    success := v_made.state <> 'refused';
    remaining := v_made.remaining;
    replayed := true;
  END IF;

  message := CASE WHEN success THEN 'Credits reserved successfully.'
    ELSE 'Insufficient credits. ' || remaining || ' remaining.' END;
END
$$;

-- Commits p_credits of a reservation (null: all), and releases the rest. Errors: no_data_found for
-- an unknown reservation, unique_violation if it was committed with another number of credits,
-- object_not_in_prerequisite_state if it was refused or holds fewer.
CREATE FUNCTION peer.commit(
  p_user_id uuid, p_id uuid, p_credits integer,
  OUT committed integer, OUT released integer, OUT remaining integer, OUT replayed boolean
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
  v_reservation peer.reservations;
BEGIN
  replayed := false;
  -- The same lock order as in reserve(), which waits for a reservation that is being committed.
  PERFORM FROM peer.users WHERE id = p_user_id FOR NO KEY UPDATE;

  UPDATE peer.reservations SET state = 'committed', settled_at = now()
  WHERE id = p_id AND user_id = p_user_id AND state = 'held'
    AND credits >= coalesce(p_credits, credits)
  RETURNING * INTO v_reservation;

  IF NOT FOUND THEN
    SELECT * INTO v_reservation FROM peer.reservations WHERE id = p_id AND user_id = p_user_id;
    IF NOT FOUND THEN
      RAISE no_data_found USING MESSAGE = 'the reservation is unknown';
    END IF;
    SELECT credits, v_reservation.credits - credits, remaining, true
    INTO committed, released, remaining, replayed
    FROM peer.ledger WHERE reservation_id = p_id;
    IF NOT FOUND THEN
      RAISE object_not_in_prerequisite_state
        USING MESSAGE = 'the reservation was refused or holds fewer credits';
    END IF;
    IF committed <> coalesce(p_credits, v_reservation.credits) THEN
      RAISE unique_violation
        USING MESSAGE = 'the reservation was committed with another number of credits';
    END IF;
    RETURN;
  END IF;

  committed := coalesce(p_credits, v_reservation.credits);
  released := v_reservation.credits - committed;
  UPDATE peer.users
  SET held = held - v_reservation.credits,
    generation = generation
      + CASE v_reservation.operation WHEN 'generation' THEN committed ELSE 0 END,
    regeneration = regeneration
      + CASE v_reservation.operation WHEN 'regeneration' THEN committed ELSE 0 END
  WHERE id = p_user_id
  RETURNING least(annual_budget - generation - regeneration - held, 2147483647) INTO remaining;

  INSERT INTO peer.ledger (reservation_id, user_id, credits, operation, remaining)
  VALUES (p_id, p_user_id, committed, v_reservation.operation, remaining);
END
$$;

-- A user's current credits, and those spent since the beginning of the month in UTC. No row for an
-- unknown user.
CREATE FUNCTION peer.usage(p_user_id uuid)
RETURNS TABLE (
  annual_budget bigint, monthly_soft_limit bigint,
  generation bigint, regeneration bigint, held bigint, monthly_used bigint
)
LANGUAGE sql STABLE
AS $$
  SELECT
    u.annual_budget, u.monthly_soft_limit, u.generation, u.regeneration, u.held,
    (
      SELECT coalesce(sum(l.credits), 0)
      FROM peer.ledger AS l
      WHERE l.user_id = p_user_id
        AND l.created_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    )
  FROM peer.users AS u
  WHERE u.id = p_user_id
$$;

INSERT INTO peer.users (id, annual_budget)
SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 2000000000
FROM generate_series(0, :users - 1) AS number;
COMMIT;

-- After the transaction that made the rows, so that VACUUM sees them as committed.
VACUUM (ANALYZE) peer.users;
