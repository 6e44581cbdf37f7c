-- Counts batches of pins and impressions. See mockupd.count_performance for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]     batch ids                         $3 bytea[]    contents of the batches
-- $4 integer[]  places of the entries' batches    $5 integer[]  their indexes in the batches
-- $6 uuid[]     users; null: invalid              $7 uuid[]     mockups; null: invalid
-- $8 integer[]  pins                              $9 integer[]  impressions
-- $10 integer   partition of a proxy database; otherwise 0
SELECT ordinal, outcome, counted, refused_indexes, refusals
FROM mockupd.count_performance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ORDER BY ordinal
