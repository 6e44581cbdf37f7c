-- Each statement of the server is the call of one function, so the server's login writes no table,
-- and functions that were steps of a transaction are replaced.

REVOKE UPDATE, DELETE ON public.mockup_scene_templates FROM mockupd_service;
REVOKE UPDATE (
  name, description, dm_template_id, dm_template_url, config, preview_url, is_active,
  recommended_collections, updated_at) ON public.mockup_scene_templates FROM mockupd_service;
DROP POLICY scene_templates_service_update ON public.mockup_scene_templates;
DROP POLICY scene_templates_service_delete ON public.mockup_scene_templates;

DROP FUNCTION IF EXISTS mockupd.credit_totals(timestamptz);
DROP FUNCTION IF EXISTS mockupd.claim_performance_batches(timestamptz, uuid[], bytea[]);
DROP FUNCTION IF EXISTS mockupd.lock_performance(uuid[], uuid[]);
DROP FUNCTION IF EXISTS mockupd.record_performance(
  uuid[], uuid[], integer[], integer[], uuid[], integer[], uuid[], integer[], text[]);
