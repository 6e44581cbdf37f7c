-- Returns the users of those mockups whose attempts cannot end, because another session has locked
-- the user's counters, the mockup or its job.
--
-- $1 uuid[]  users
-- $2 uuid[]  their mockups
SELECT user_id FROM mockupd.locked_attempts($1, $2)
