-- Reserves credits of a user for 15 minutes. Only the user and services may call it. The signature
-- and the two messages about admission are those of the initial schema.
CREATE OR REPLACE FUNCTION public.reserve_mockup_credits(
  p_user_id uuid,
  p_credits integer
)
RETURNS TABLE (
  success boolean,
  remaining integer,
  message text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_answer record;
  v_remaining integer;
BEGIN
  PERFORM mockupd.require_self_or_service(p_user_id);

  IF p_credits IS NULL OR p_credits < 1 THEN
    SELECT mockupd.as_integer(mockupd.available(u)) INTO v_remaining
    FROM mockupd.usage_at(now(), p_user_id,
      extract(year FROM now() AT TIME ZONE 'UTC')::integer,
      extract(month FROM now() AT TIME ZONE 'UTC')::integer) AS u;
    RETURN QUERY SELECT false, coalesce(v_remaining, 0), 'Credits must be at least 1.';
    RETURN;
  END IF;

  -- The id is not returned, so the caller cannot settle the reservation, which expires after 15
  -- minutes.
  SELECT r.outcome, mockupd.as_integer(mockupd.available(r.usage)) AS remaining INTO v_answer
  FROM mockupd.reserve(
    NULL, ARRAY[p_user_id], ARRAY[mockupd.time_ordered_id(clock_timestamp())], ARRAY[p_credits],
    ARRAY['generation'], ARRAY[900], ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['normal']) AS r;

  RETURN QUERY SELECT
    v_answer.outcome = 'admitted',
    coalesce(v_answer.remaining, 0),
    CASE v_answer.outcome
      WHEN 'admitted' THEN 'Credits reserved successfully.'
      WHEN 'refused' THEN 'Insufficient credits. ' || v_answer.remaining || ' remaining.'
      ELSE 'Unknown user.'
    END;
END
$$;

REVOKE ALL ON FUNCTION public.reserve_mockup_credits(uuid, integer)
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION public.reserve_mockup_credits(uuid, integer)
  TO authenticated, service_role, mockupd_service;
