-- Locks mockups whose pins and impressions are about to be counted.
--
-- $1 uuid[]  users    $2 uuid[]  mockups
SELECT mockup_id, user_id, total_pins, total_impressions
FROM mockupd.lock_performance($1, $2)
