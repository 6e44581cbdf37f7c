-- Returns whether a user exists, and the last revision of the user's feed (0 if nothing ever
-- changed).
--
-- $1 uuid  user
SELECT is_known, revision FROM mockupd.mockup_feed($1)
