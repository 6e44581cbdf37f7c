-- Functions that are no longer used.

DROP FUNCTION IF EXISTS mockupd.usage_of(mockupd.credit_counters, integer, jsonb);
