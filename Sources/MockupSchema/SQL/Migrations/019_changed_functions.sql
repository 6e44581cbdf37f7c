-- Functions whose parameters or results have changed, since they read the time of the database
-- under their locks, or can leave out locked users. Their files create them again.

DROP FUNCTION IF EXISTS mockupd.lock_counters(timestamptz, uuid[], integer[]);
DROP FUNCTION IF EXISTS mockupd.lock_user(timestamptz, uuid);
DROP FUNCTION IF EXISTS mockupd.release_group(timestamptz, uuid, uuid);
DROP FUNCTION IF EXISTS mockupd.generate_mockups(
  timestamptz, uuid, uuid, uuid[], text[], boolean, uuid, integer, integer, uuid[], uuid[]);
DROP FUNCTION IF EXISTS mockupd.set_budget(timestamptz, uuid, integer, integer, text);
DROP FUNCTION IF EXISTS mockupd.claim_mockups(timestamptz, text, integer, integer, integer);
