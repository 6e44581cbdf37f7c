-- Counts pins and impressions, and keeps the answers of their batches.
--
-- $1 uuid[]     users             $2 uuid[]     mockups
-- $3 integer[]  pins              $4 integer[]  impressions
-- $5 uuid[]     claimed batches   $6 integer[]  how many of their entries were counted
-- $7 uuid[]     batches of entries that were not, $8 integer[] their places, and $9 text[] why
SELECT mockupd.record_performance($1, $2, $3, $4, $5, $6, $7, $8, $9)
