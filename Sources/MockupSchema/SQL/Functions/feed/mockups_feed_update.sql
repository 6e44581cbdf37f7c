-- Records changed mockups in the feed, once for each statement.
CREATE OR REPLACE TRIGGER mockups_feed_update AFTER UPDATE ON public.mockups
  REFERENCING OLD TABLE AS old_mockups NEW TABLE AS new_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_updated();
