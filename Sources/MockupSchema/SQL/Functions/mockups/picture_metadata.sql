-- Returns the vendor's metadata of a picture; '{}' for null. Returns null if it is not a JSON
-- object, PostgreSQL cannot store it, or its text as jsonb exceeds 256 KiB (1e100000 has 100001
-- digits).
CREATE OR REPLACE FUNCTION mockupd.picture_metadata(p_json text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_metadata jsonb;
BEGIN
  v_metadata := coalesce(p_json, '{}');
  IF jsonb_typeof(v_metadata) = 'object' AND octet_length(v_metadata::text) <= 262144 THEN
    RETURN v_metadata;
  END IF;
  RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.picture_metadata
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
