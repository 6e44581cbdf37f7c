-- How far a user's feed has come; 0 where nothing has ever changed.
--
-- $1 uuid  user
SELECT
  mockupd.user_exists($1) AS is_known,
  coalesce((SELECT f.revision FROM mockupd.mockup_feeds AS f WHERE f.user_id = $1), 0) AS revision
