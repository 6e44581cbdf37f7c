-- Mockups are completed and failed in batches, by mockupd.complete_mockups and fail_mockups.

DROP FUNCTION IF EXISTS mockupd.complete_mockup(
  timestamptz, uuid, uuid, integer, text, text, text, text, text, double precision, integer,
  boolean, uuid);
DROP FUNCTION IF EXISTS mockupd.fail_mockup(
  timestamptz, uuid, uuid, integer, text, boolean, boolean);
