-- Checks that the initial schema lacks. Existing rows are kept, whatever their values are.

ALTER TABLE public.mockup_credit_usage
  ADD CONSTRAINT mockup_credit_usage_credits_positive CHECK (credits > 0) NOT VALID,
  ADD CONSTRAINT mockup_credit_usage_operation_known
    CHECK (operation IN ('generation', 'regeneration', 'refund')) NOT VALID,
  ADD CONSTRAINT mockup_credit_usage_month_known CHECK (month BETWEEN 1 AND 12) NOT VALID;

ALTER TABLE public.mockups
  ADD CONSTRAINT mockups_credits_used_not_negative CHECK (credits_used >= 0) NOT VALID,
  ADD CONSTRAINT mockups_quality_score_range CHECK (quality_score BETWEEN 0 AND 1) NOT VALID,
  ADD CONSTRAINT mockups_total_pins_not_negative CHECK (total_pins >= 0) NOT VALID,
  ADD CONSTRAINT mockups_total_impressions_not_negative CHECK (total_impressions >= 0) NOT VALID;

ALTER TABLE public.mockup_scene_templates
  ADD CONSTRAINT mockup_scene_templates_system_has_no_user
    CHECK (is_system = (user_id IS NULL)) NOT VALID;

-- A template must fit into a response that lists templates, and into the response to a claim. As
-- jsonb, 1e100000 has 100001 digits.
ALTER TABLE public.mockup_scene_templates
  ADD CONSTRAINT mockup_scene_templates_config_size
    CHECK (octet_length(config::text) <= 262144) NOT VALID;

-- A mockup has no files before it is completed.
ALTER TABLE public.mockups
  ALTER COLUMN file_url SET DEFAULT '',
  ALTER COLUMN file_key SET DEFAULT '',
  ADD CONSTRAINT mockups_files_when_completed CHECK (
    status IN ('pending', 'generating', 'failed') OR (file_url <> '' AND file_key <> '')
  ) NOT VALID;

-- If existing rows violate a check, it is limited to rows that are newer than the last of them.
-- Otherwise these rows could not be changed at all, not even their counters, and their users could
-- not be deleted: PostgreSQL checks a row with every change.
DO $$
DECLARE
  v_check record;
  v_last timestamptz;
BEGIN
  FOR v_check IN
    SELECT conrelid::regclass AS relation, conname AS name,
      pg_get_expr(conbin, conrelid) AS condition
    FROM pg_constraint
    WHERE contype = 'c' AND NOT convalidated AND conrelid IN (
      'public.mockup_credit_usage'::regclass, 'public.mockups'::regclass,
      'public.mockup_scene_templates'::regclass)
  LOOP
    EXECUTE format(
      'SELECT max(created_at) FROM %s WHERE NOT (%s)', v_check.relation, v_check.condition)
    INTO v_last;
    IF v_last IS NULL THEN
      EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', v_check.relation, v_check.name);
    ELSE
      EXECUTE format(
        'ALTER TABLE %1$s DROP CONSTRAINT %2$I,
          ADD CONSTRAINT %2$I CHECK (created_at <= %3$L OR (%4$s))',
        v_check.relation, v_check.name, v_last, v_check.condition);
      RAISE WARNING 'existing rows of % violate the check %; '
        'it applies only to rows created after %',
        v_check.relation, v_check.name, v_last;
    END IF;
  END LOOP;
END
$$;
