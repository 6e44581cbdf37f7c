-- Functions that are no longer used.

DROP FUNCTION IF EXISTS mockupd.usage_of(mockupd.credit_counters, integer, jsonb);
DROP FUNCTION IF EXISTS mockupd.unresolved_of_year(uuid, integer, bigint);
