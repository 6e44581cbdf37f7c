-- Counts batches of pins and impressions. See mockupd.count_performance for the outcomes.
--
-- $1 timestamptz  now; null: the time of the database
-- $2 uuid[]       batch ids                        $3 bytea[]     contents of the batches
-- $4 uuid[]       users of the mockups             $5 uuid[]      ids of the mockups
-- $6 integer[]    places of the entries' batches   $7 integer[]   their indexes in the batches
-- $8 integer[]    places of their mockups; 0: invalid
-- $9 integer[]    pins                             $10 integer[]  impressions
-- $11 integer     partition of a proxy database; otherwise 0
SELECT ordinal, outcome, counted, refused_indexes, refusals
FROM mockupd.count_performance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ORDER BY ordinal
