-- Adds pins and impressions to mockups, and stores the results of their batches.
--
-- $1 uuid[]     users             $2 uuid[]     mockups
-- $3 integer[]  pins              $4 integer[]  impressions
-- $5 uuid[]     claimed batches   $6 integer[]  numbers of their entries that were counted
-- $7 uuid[]     batches of refused entries
-- $8 integer[]  indexes of these entries in their batches
-- $9 text[]     reasons why they were refused
SELECT mockupd.record_performance($1, $2, $3, $4, $5, $6, $7, $8, $9)
