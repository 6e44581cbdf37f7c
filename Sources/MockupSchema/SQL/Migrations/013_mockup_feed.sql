-- The changes of each user's mockups: a row for each mockup, with the revision of its last change.
-- The content is read from the mockup itself.

CREATE TABLE mockupd.mockup_feeds (
  user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
  -- The last revision that was assigned.
  revision bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE mockupd.mockup_changes (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  mockup_id uuid NOT NULL, -- no foreign key: the deletion of a mockup is kept as a change
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
