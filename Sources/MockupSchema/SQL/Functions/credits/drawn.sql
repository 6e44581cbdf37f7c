-- Returns the credits that a user's requests draw from p_available, one after the other. As a
-- window function, it returns what the requests in the window have drawn.
--
-- A request draws its credits if that many are left after the earlier requests. Otherwise it draws
-- none, or all that are left if p_best_effort is true. A negative number gives credits back.
CREATE OR REPLACE AGGREGATE mockupd.drawn(
  p_available bigint, p_credits bigint, p_best_effort boolean
) (
  SFUNC = mockupd.draw,
  STYPE = bigint,
  INITCOND = '0'
);

REVOKE ALL ON FUNCTION mockupd.drawn
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
