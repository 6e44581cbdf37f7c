-- Claims batches of pins and impressions. See mockupd.claim_performance_batches for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]       batch ids    $3 bytea[]  contents of the batches
SELECT ordinal, outcome, counted, refused_indexes, refusals
FROM mockupd.claim_performance_batches($1, $2, $3)
ORDER BY ordinal
