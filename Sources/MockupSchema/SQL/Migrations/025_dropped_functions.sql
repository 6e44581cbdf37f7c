-- Functions that are no longer used.
DROP FUNCTION IF EXISTS mockupd.usage_of(mockupd.credit_counters, integer, jsonb);
DROP FUNCTION IF EXISTS mockupd.unresolved_of_year(uuid, integer, bigint);

-- A function with a renamed parameter. Its file creates it again.
DROP FUNCTION IF EXISTS mockupd.fail_mockups(
  timestamptz, uuid[], uuid[], integer[], text[], boolean[], boolean[]);
