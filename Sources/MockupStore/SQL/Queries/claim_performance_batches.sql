-- Claims batches. See mockupd.claim_performance_batches for what each outcome means.
--
-- $1 timestamptz  now
-- $2 uuid[]       batch ids    $3 bytea[]  their contents
SELECT ordinal, outcome, counted, refused_indexes, refusals
FROM mockupd.claim_performance_batches($1, $2, $3)
ORDER BY ordinal
