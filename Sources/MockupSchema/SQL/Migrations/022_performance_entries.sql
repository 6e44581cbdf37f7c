-- The function gets the mockups of all entries once, and a number for each entry. Its file creates
-- it again.

DROP FUNCTION IF EXISTS mockupd.count_performance(
  timestamptz, uuid[], bytea[], integer[], integer[], uuid[], uuid[], integer[], integer[],
  integer);
