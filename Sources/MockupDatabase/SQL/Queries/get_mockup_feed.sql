-- Returns whether a user exists, and the last revision of the user's feed (0 if nothing ever
-- changed).
--
-- $1 uuid  user
SELECT
  mockupd.user_exists($1) AS is_known,
  coalesce((SELECT f.revision FROM mockupd.mockup_feeds AS f WHERE f.user_id = $1), 0) AS revision
