-- Records changes of mockups in their users' feeds, and notifies the users' listeners. Each mockup
-- occurs at most once in the arrays. A call sends one notification for each user, and PostgreSQL
-- sends equal notifications of a transaction once.
--
-- Revisions are assigned under the lock on the user's row in mockupd.mockup_feeds, which is held
-- until the transaction ends. So revisions become visible in order, and a reader who has seen a
-- revision has missed no earlier one. Triggers take this lock at the end of a statement, after the
-- locks on the user's counters and mockups.
CREATE OR REPLACE FUNCTION mockupd.note_mockup_changes(
  p_user_ids uuid[], p_mockup_ids uuid[], p_are_deleted boolean[])
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  WITH changed AS (
    SELECT c.user_id, c.mockup_id, c.is_deleted,
      row_number() OVER (PARTITION BY c.user_id ORDER BY c.mockup_id DESC) - 1 AS followers
    FROM unnest(p_user_ids, p_mockup_ids, p_are_deleted) AS c (user_id, mockup_id, is_deleted)
    -- Leaves out a user who is being deleted, and has no feed any more.
    WHERE EXISTS (SELECT FROM auth.users AS u WHERE u.id = c.user_id)
  ), feed AS (
    -- In the order of users, so that two sessions cannot deadlock.
    INSERT INTO mockupd.mockup_feeds AS f (user_id, revision)
    SELECT c.user_id, count(*) FROM changed AS c GROUP BY c.user_id ORDER BY c.user_id
    ON CONFLICT (user_id) DO UPDATE SET revision = f.revision + EXCLUDED.revision
    RETURNING f.user_id, f.revision
  ), noted AS (
    INSERT INTO mockupd.mockup_changes AS m (user_id, mockup_id, revision, is_deleted)
    SELECT c.user_id, c.mockup_id, feed.revision - c.followers, c.is_deleted
    FROM changed AS c JOIN feed USING (user_id)
    ON CONFLICT (user_id, mockup_id) DO UPDATE
      SET revision = EXCLUDED.revision, is_deleted = EXCLUDED.is_deleted
  )
  SELECT pg_notify('mockupd_mockups', feed.user_id::text) FROM feed
$$;

REVOKE ALL ON FUNCTION mockupd.note_mockup_changes
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
