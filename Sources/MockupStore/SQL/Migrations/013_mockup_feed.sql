-- What has changed of a user's mockups, for whoever watches: each mockup has one row, which says with
-- which of the user's revisions it changed last. What it has become is read from the mockup itself.
--
-- Revisions are allotted under the lock of the user's feed row, which is kept until the transaction
-- ends: they become visible in their order, and a reader who has seen one has missed none before it.
-- The lock is taken by triggers at the end of a statement, after the user's counters and the mockups.

CREATE TABLE mockupd.mockup_feeds (
  user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
  -- The last one that was allotted.
  revision bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE mockupd.mockup_changes (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  mockup_id uuid NOT NULL, -- no reference: that a mockup was deleted is a change, and is kept
  revision bigint NOT NULL,
  is_deleted boolean NOT NULL,
  PRIMARY KEY (user_id, mockup_id)
);

CREATE UNIQUE INDEX mockup_changes_revision ON mockupd.mockup_changes (user_id, revision);

GRANT SELECT ON mockupd.mockup_feeds, mockupd.mockup_changes TO mockupd_service;

INSERT INTO mockupd.mockup_changes (user_id, mockup_id, revision, is_deleted)
SELECT user_id, id, row_number() OVER (PARTITION BY user_id ORDER BY updated_at, id), false
FROM public.mockups;

INSERT INTO mockupd.mockup_feeds (user_id, revision)
SELECT user_id, max(revision) FROM mockupd.mockup_changes GROUP BY user_id;

-- Notes what has changed, and tells whoever listens: once for each user, however many mockups it is;
-- what a transaction notifies twice, PostgreSQL sends once. Mockups are named once each.
CREATE FUNCTION mockupd.note_mockup_changes(
  p_user_ids uuid[], p_mockup_ids uuid[], p_are_deleted boolean[])
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  WITH changed AS (
    SELECT c.user_id, c.mockup_id, c.is_deleted,
      row_number() OVER (PARTITION BY c.user_id ORDER BY c.mockup_id DESC) - 1 AS followers
    FROM unnest(p_user_ids, p_mockup_ids, p_are_deleted) AS c (user_id, mockup_id, is_deleted)
    -- A user who is being deleted takes the mockups along, and has no feed any more.
    WHERE EXISTS (SELECT FROM auth.users AS u WHERE u.id = c.user_id)
  ), feed AS (
    -- In one order, so that two batches do not wait for each other.
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

CREATE FUNCTION mockupd.mockups_were_inserted()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(n.user_id), array_agg(n.id), array_agg(false))
  FROM new_mockups AS n;
  RETURN NULL;
END
$$;

CREATE FUNCTION mockupd.mockups_were_updated()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(c.user_id), array_agg(c.id), array_agg(c.is_deleted))
  FROM (
    SELECT n.user_id, n.id, false AS is_deleted
    FROM new_mockups AS n
    LEFT JOIN old_mockups AS o ON o.user_id = n.user_id AND o.id = n.id
    WHERE o.id IS NULL
      -- Pins and impressions are no news, nor is a lease that was renewed.
      OR (n.asset_id, n.quote_id, n.scene, n.scene_config, n.file_url, n.file_key,
        n.thumbnail_url, n.dm_render_id, n.dm_metadata, n.credits_used, n.quality_score,
        n.status, n.error_message, n.created_at)
      IS DISTINCT FROM (o.asset_id, o.quote_id, o.scene, o.scene_config, o.file_url, o.file_key,
        o.thumbnail_url, o.dm_render_id, o.dm_metadata, o.credits_used, o.quality_score,
        o.status, o.error_message, o.created_at)
    UNION ALL
    -- Given to another user, it is gone for the first.
    SELECT o.user_id, o.id, true
    FROM old_mockups AS o
    WHERE NOT EXISTS (
      SELECT FROM new_mockups AS n WHERE n.user_id = o.user_id AND n.id = o.id)
  ) AS c;
  RETURN NULL;
END
$$;

CREATE FUNCTION mockupd.mockups_were_deleted()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM mockupd.note_mockup_changes(
    array_agg(o.user_id), array_agg(o.id), array_agg(true))
  FROM old_mockups AS o;
  RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.note_mockup_changes(uuid[], uuid[], boolean[]),
  mockupd.mockups_were_inserted(), mockupd.mockups_were_updated(), mockupd.mockups_were_deleted()
FROM PUBLIC;

-- Once for each statement, whoever sends it.
CREATE TRIGGER mockups_feed_insert AFTER INSERT ON public.mockups
  REFERENCING NEW TABLE AS new_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_inserted();
CREATE TRIGGER mockups_feed_update AFTER UPDATE ON public.mockups
  REFERENCING OLD TABLE AS old_mockups NEW TABLE AS new_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_updated();
CREATE TRIGGER mockups_feed_delete AFTER DELETE ON public.mockups
  REFERENCING OLD TABLE AS old_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_deleted();
