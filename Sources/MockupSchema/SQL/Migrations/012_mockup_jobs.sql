-- The jobs of mockups, and the requests for them.

-- A row for each mockup that was requested through the engine.
CREATE TABLE mockupd.mockup_jobs (
  mockup_id uuid NOT NULL REFERENCES public.mockups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL,
  -- 'queued' while the mockup is pending, 'leased' while it is generating, otherwise 'done'.
  state text NOT NULL CHECK (state IN ('queued', 'leased', 'done')),
  -- The time of the round's request, which is the position in the queue for all of its attempts.
  requested_at timestamptz NOT NULL,
  skip_approval boolean NOT NULL,
  -- The round's reservation.
  reservation_id uuid,
  -- The number of claims in all rounds. It is the fencing token that a worker passes.
  attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  -- The number of claims in this round.
  round_attempts integer NOT NULL DEFAULT 0 CHECK (round_attempts BETWEEN 0 AND attempt_limit),
  -- True if the vendor may have charged for an attempt of this round, because it ended without a
  -- report or its report says so. The reservation is then not released: a completion or an
  -- administrator settles it.
  may_be_charged boolean NOT NULL DEFAULT false,
  attempt_limit integer NOT NULL DEFAULT 3 CHECK (attempt_limit > 0),
  worker text,
  lease_expires_at timestamptz,
  -- The outcome of the last attempt, and the request that ended it, to recognize a retry.
  outcome text CHECK (outcome IN ('completed', 'failed', 'retried', 'lapsed')),
  outcome_credits integer,
  outcome_allow_overrun boolean,
  outcome_error text,
  outcome_may_be_charged boolean,
  -- The mockup comes first, since the foreign key searches by it alone.
  PRIMARY KEY (mockup_id, user_id),
  CHECK ((state = 'leased') = (lease_expires_at IS NOT NULL))
) WITH (fillfactor = 70);

-- The queue over all users, the oldest first.
CREATE INDEX mockup_jobs_queue ON mockupd.mockup_jobs (requested_at, mockup_id)
  WHERE state = 'queued';
CREATE INDEX mockup_jobs_leases ON mockupd.mockup_jobs (lease_expires_at) WHERE state = 'leased';

-- A page of a user's mockups, the newest first.
CREATE INDEX mockups_newest ON public.mockups (user_id, created_at DESC, id DESC);

-- Requests, kept forever, so that a retried request has one effect and the same results.
CREATE TABLE mockupd.generation_requests (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  -- The requested assets and scenes, without duplicates.
  asset_ids uuid[] NOT NULL,
  scenes text[] NOT NULL,
  skip_approval boolean NOT NULL,
  quote_id uuid,
  credits integer NOT NULL CHECK (credits > 0),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  created_at timestamptz NOT NULL,
  -- The results of the pairs: a mockup and a reservation, or a failure. Other elements are null.
  mockup_ids uuid[] NOT NULL,
  reservation_ids uuid[] NOT NULL,
  failures text[] NOT NULL,
  PRIMARY KEY (user_id, id)
);

CREATE TABLE mockupd.regeneration_requests (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  mockup_id uuid NOT NULL, -- no foreign key: the request stays as it was when its mockup is deleted
  skip_approval boolean NOT NULL,
  credits integer NOT NULL CHECK (credits > 0),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  created_at timestamptz NOT NULL,
  reservation_id uuid NOT NULL,
  PRIMARY KEY (user_id, id)
);

GRANT SELECT ON public.mockups, mockupd.mockup_jobs TO mockupd_service;
CREATE POLICY mockups_service ON public.mockups FOR SELECT TO mockupd_service USING (true);
