-- Locks mockups whose pins and impressions are about to be changed, and returns their counters.
--
-- $1 uuid[]  users    $2 uuid[]  mockups
SELECT mockup_id, user_id, total_pins, total_impressions
FROM mockupd.lock_performance($1, $2)
