-- Batches of pins and impressions, each of which counts once.

CREATE TABLE mockupd.performance_batches (
  -- Made by the client, unique among all users, since a batch may name mockups of several users.
  batch_id uuid PRIMARY KEY,
  -- SHA-256 of its entries, which tells a retry from another batch with the same id.
  digest bytea NOT NULL,
  -- The result: the number of entries that were counted, the indexes (from 0) of the entries that
  -- were not, and the reasons.
  counted integer NOT NULL DEFAULT 0,
  refused_indexes integer[] NOT NULL DEFAULT '{}',
  refusals text[] NOT NULL DEFAULT '{}',
  received_at timestamptz NOT NULL,
  CHECK (cardinality(refused_indexes) = cardinality(refusals))
);
