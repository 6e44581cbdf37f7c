-- Batches of pins and impressions, each of which counts once.

CREATE TABLE mockupd.performance_batches (
  -- Made by the client, unique for all users: a batch may hold several users' mockups.
  batch_id uuid PRIMARY KEY,
  -- SHA-256 of its entries, which tells a retry from another batch with the same id.
  digest bytea NOT NULL,
  -- The answer: how many entries were counted, the indexes (from 0) of those that were not, and why.
  counted integer NOT NULL DEFAULT 0,
  refused_indexes integer[] NOT NULL DEFAULT '{}',
  refusals text[] NOT NULL DEFAULT '{}',
  received_at timestamptz NOT NULL,
  CHECK (cardinality(refused_indexes) = cardinality(refusals))
);
