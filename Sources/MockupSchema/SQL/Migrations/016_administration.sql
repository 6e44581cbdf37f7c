-- The changes of budgets, with the caller and the previous values.
CREATE TABLE mockupd.budget_changes (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  changed_at timestamptz NOT NULL,
  -- The peer's credentials (SO_PEERCRED): its uid and process id.
  changed_by text NOT NULL,
  annual_budget integer NOT NULL,
  monthly_soft_limit integer NOT NULL,
  previous_annual_budget integer NOT NULL,
  previous_monthly_soft_limit integer NOT NULL,
  -- The complete value before the change. If it was not an object, the change has replaced it.
  previous_guardrails jsonb,
  PRIMARY KEY (user_id, id)
);
