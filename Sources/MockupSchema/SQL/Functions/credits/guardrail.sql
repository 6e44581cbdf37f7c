-- Reads a number from a user's guardrails, which may contain any JSON. Text with a number is
-- truncated and clamped to 0 … 2^31 - 1. Any other value counts as absent. The view user_budgets
-- reads JSON numbers itself.
--
-- Only the text that the pattern matched is cast, without the spaces around it. The pattern does
-- not use \s and \d: the characters that they match depend on the locale and include some that the
-- cast refuses.
CREATE OR REPLACE FUNCTION mockupd.guardrail(p_guardrails jsonb, p_key text, p_default integer)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_number text := substring(p_guardrails ->> p_key
    FROM '^[ \t\n\v\f\r]*([+-]?[0-9]{1,100}(?:[.][0-9]{0,100})?)[ \t\n\v\f\r]*$');
BEGIN
  IF v_number IS NULL THEN
    RETURN p_default;
  END IF;
  RETURN least(greatest(trunc(v_number::numeric), 0), 2147483647);
END
$$;

REVOKE ALL ON FUNCTION mockupd.guardrail
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
