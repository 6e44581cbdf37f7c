-- Records inserted mockups in the feed, once for each statement.
CREATE OR REPLACE TRIGGER mockups_feed_insert AFTER INSERT ON public.mockups
  REFERENCING NEW TABLE AS new_mockups
  FOR EACH STATEMENT EXECUTE FUNCTION mockupd.mockups_were_inserted();
