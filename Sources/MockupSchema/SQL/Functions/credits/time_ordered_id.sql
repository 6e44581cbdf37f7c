-- Makes a UUID of version 7 (RFC 9562): the Unix time in milliseconds, then 74 random bits. Rows
-- with such ids are inserted at the end of an index, which writes fewer pages than random ids do.
CREATE OR REPLACE FUNCTION mockupd.time_ordered_id(p_time timestamptz)
RETURNS uuid
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_milliseconds bigint := floor(extract(epoch FROM p_time) * 1000);
  -- The last 10 of 16 bytes are those of a random UUID. The first 4 bits of byte 6 are the version.
  v_bytes bytea := overlay(
    uuid_send(gen_random_uuid()) PLACING substring(int8send(v_milliseconds) FROM 3) FROM 1);
BEGIN
  RETURN encode(set_byte(v_bytes, 6, get_byte(v_bytes, 6) & 15 | 112), 'hex')::uuid;
END
$$;

REVOKE ALL ON FUNCTION mockupd.time_ordered_id
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
