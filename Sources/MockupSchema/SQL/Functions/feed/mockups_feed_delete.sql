-- Records deleted mockups in the feed, once for each statement.
CREATE OR REPLACE TRIGGER mockups_feed_delete AFTER DELETE ON public.mockups
  REFERENCING OLD TABLE AS old_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_deleted();
