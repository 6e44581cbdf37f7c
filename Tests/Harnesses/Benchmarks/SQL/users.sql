-- Users who never run out of credits, and their mockups. The id of user i of :users is
-- …8000-<i in 12 hex digits>; that of mockup j is …9000-<j in 12 hex digits>, and it belongs to the
-- user j modulo :users.
INSERT INTO auth.users (id)
SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid
FROM generate_series(0, :users - 1) AS i;

INSERT INTO public.user_settings (user_id, guardrails)
SELECT id, '{"annual_mockup_budget": 2000000000, "monthly_mockup_soft_limit": 2000000000}'
FROM auth.users;

INSERT INTO public.assets (user_id) SELECT id FROM auth.users;

INSERT INTO public.mockups (id, user_id, asset_id, scene, status)
SELECT
  ('00000000-0000-4000-9000-' || lpad(to_hex(j), 12, '0'))::uuid, a.user_id, a.id, 'bedroom',
  'pending'
FROM generate_series(0, 999) AS j
JOIN public.assets AS a ON a.user_id
  = ('00000000-0000-4000-8000-' || lpad(to_hex(j % :users), 12, '0'))::uuid;

DO $$
BEGIN
  IF to_regrole('mockupd') IS NULL THEN CREATE ROLE mockupd LOGIN; END IF;
END
$$;
GRANT mockupd_service TO mockupd;

VACUUM ANALYZE;
