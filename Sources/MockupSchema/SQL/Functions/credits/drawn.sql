-- The credits that requests draw from p_available, for the window of a user's requests up to one.
--
-- A request draws its credits if they are available after the requests before it, and otherwise nothing,
-- or, by best effort, what is available. A negative number gives credits back.
CREATE OR REPLACE AGGREGATE mockupd.drawn(p_available bigint, p_credits bigint, p_best_effort boolean) (
  SFUNC = mockupd.draw,
  STYPE = bigint,
  INITCOND = '0'
);

REVOKE ALL ON FUNCTION mockupd.drawn
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
