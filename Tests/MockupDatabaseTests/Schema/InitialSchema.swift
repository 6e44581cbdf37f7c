/// The objects of the initial schema, as PostgreSQL describes them.
enum InitialSchema {
  static let columns: [(table: String, columns: [String])] = [
    (
      "mockups",
      [
        "id uuid not null default gen_random_uuid()",
        "user_id uuid not null",
        "asset_id uuid not null",
        "quote_id uuid",
        "scene text not null",
        "scene_config jsonb not null default '{}'::jsonb",
        "file_url text not null",
        "file_key text not null",
        "thumbnail_url text",
        "dm_render_id text",
        "dm_metadata jsonb default '{}'::jsonb",
        "credits_used integer not null default 1",
        "quality_score numeric(4,3)",
        "status text not null default 'pending'::text",
        "error_message text",
        "total_pins integer not null default 0",
        "total_impressions integer not null default 0",
        "created_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
      ]
    ),
    (
      "mockup_credit_usage",
      [
        "id uuid not null default gen_random_uuid()",
        "user_id uuid not null",
        "mockup_id uuid",
        "credits integer not null",
        "operation text not null",
        "balance_before integer not null",
        "balance_after integer not null",
        "year integer not null default EXTRACT(year FROM now())",
        "month integer not null default EXTRACT(month FROM now())",
        "created_at timestamp with time zone not null default now()",
      ]
    ),
    (
      "mockup_scene_templates",
      [
        "id uuid not null default gen_random_uuid()",
        "user_id uuid",
        "scene_key text not null",
        "name text not null",
        "description text",
        "dm_template_id text not null",
        "dm_template_url text",
        "config jsonb not null default '{}'::jsonb",
        "preview_url text",
        "is_active boolean not null default true",
        "is_system boolean not null default false",
        "recommended_collections text[] default '{}'::text[]",
        "created_at timestamp with time zone not null default now()",
        "updated_at timestamp with time zone not null default now()",
      ]
    ),
  ]

  static let constraints = [
    "mockups: PRIMARY KEY (id)",
    "mockups: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE",
    "mockups: FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE CASCADE",
    "mockups: FOREIGN KEY (quote_id) REFERENCES quotes(id) ON DELETE SET NULL",
    "mockups: CHECK ((status = ANY (ARRAY['pending'::text, 'generating'::text, "
      + "'completed'::text, 'failed'::text, 'approved'::text, 'rejected'::text])))",
    "mockup_credit_usage: PRIMARY KEY (id)",
    "mockup_credit_usage: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE",
    "mockup_credit_usage: FOREIGN KEY (mockup_id) REFERENCES mockups(id) ON DELETE SET NULL",
    "mockup_scene_templates: PRIMARY KEY (id)",
    "mockup_scene_templates: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE",
  ]

  static let indexes = [
    "CREATE INDEX idx_mockups_user ON public.mockups USING btree (user_id)",
    "CREATE INDEX idx_mockups_asset ON public.mockups USING btree (asset_id)",
    "CREATE INDEX idx_mockups_quote ON public.mockups USING btree (quote_id) "
      + "WHERE (quote_id IS NOT NULL)",
    "CREATE INDEX idx_mockups_scene ON public.mockups USING btree (user_id, scene)",
    "CREATE INDEX idx_mockups_status ON public.mockups USING btree (user_id, status)",
    "CREATE INDEX idx_mockups_pending ON public.mockups USING btree (user_id, created_at) "
      + "WHERE (status = 'pending'::text)",
    "CREATE INDEX idx_credit_usage_user ON public.mockup_credit_usage USING btree (user_id)",
    "CREATE INDEX idx_credit_usage_year ON public.mockup_credit_usage USING btree (user_id, year)",
    "CREATE INDEX idx_credit_usage_month ON public.mockup_credit_usage "
      + "USING btree (user_id, year, month)",
    "CREATE UNIQUE INDEX idx_scene_templates_key ON public.mockup_scene_templates "
      + "USING btree (scene_key) WHERE ((user_id IS NULL) AND (is_system = true))",
    "CREATE INDEX idx_scene_templates_user ON public.mockup_scene_templates "
      + "USING btree (user_id) WHERE (user_id IS NOT NULL)",
  ]

  private static let isOwn = "(user_id = auth.uid())"
  private static let isOwnTemplate = "((user_id = auth.uid()) AND (is_system = false))"

  static let policies = [
    "mockups_select on mockups PERMISSIVE for SELECT to public using \(isOwn)",
    "mockups_insert on mockups PERMISSIVE for INSERT to public check \(isOwn)",
    "mockups_update on mockups PERMISSIVE for UPDATE to public using \(isOwn)",
    "mockups_delete on mockups PERMISSIVE for DELETE to public using \(isOwn)",
    "credit_usage_select on mockup_credit_usage PERMISSIVE for SELECT to public using \(isOwn)",
    "credit_usage_insert on mockup_credit_usage PERMISSIVE for INSERT to public check \(isOwn)",
    "scene_templates_select on mockup_scene_templates PERMISSIVE for SELECT to public "
      + "using ((is_system = true) OR (user_id = auth.uid()))",
    "scene_templates_insert on mockup_scene_templates PERMISSIVE for INSERT to public "
      + "check \(isOwnTemplate)",
    "scene_templates_update on mockup_scene_templates PERMISSIVE for UPDATE to public "
      + "using \(isOwnTemplate)",
    "scene_templates_delete on mockup_scene_templates PERMISSIVE for DELETE to public "
      + "using \(isOwnTemplate)",
  ]

  /// Returns the public functions with their signatures.
  ///
  /// - Parameter zone: The time zone of the default year; empty for the session's time zone.
  static func functions(yearOf zone: String) -> [String] {
    let year =
      zone.isEmpty
      ? "EXTRACT(year FROM now())" : "EXTRACT(year FROM (now() AT TIME ZONE '\(zone)'::text))"
    return [
      "get_credit_usage (p_user_id uuid, p_year integer DEFAULT \(year), "
        + "p_month integer DEFAULT NULL::integer) returns "
        + "TABLE(total_used integer, monthly_used integer, annual_budget integer, "
        + "monthly_soft_limit integer, remaining_annual integer, remaining_monthly integer) "
        + "plpgsql definer",
      "reserve_mockup_credits (p_user_id uuid, p_credits integer) returns "
        + "TABLE(success boolean, remaining integer, message text) plpgsql definer",
    ]
  }

  /// The system templates: key, name, description, vendor template, collections, configuration.
  static let scenes = [
    "bedroom|Bedroom|Cozy bedroom setting with natural light|dm_bedroom_001|grounding,wholeness|"
      + #"{"default_size": {"width": 800, "height": 1000}, "smart_object": "artwork_frame"}"#,
    "therapy_office|Therapy Office|Professional office with warm tones|dm_therapy_001|"
      + "wholeness,growth|"
      + #"{"default_size": {"width": 600, "height": 800}, "smart_object": "wall_art"}"#,
    "living_room|Living Room|Modern living space with natural elements|dm_living_001|"
      + "grounding,growth|"
      + #"{"default_size": {"width": 900, "height": 1200}, "smart_object": "frame_display"}"#,
    "reading_nook|Reading Nook|Intimate corner with soft lighting|dm_reading_001|"
      + "grounding,wholeness|"
      + #"{"default_size": {"width": 500, "height": 700}, "smart_object": "small_frame"}"#,
    "home_office|Home Office|Productive workspace with inspiring decor|dm_office_001|growth|"
      + #"{"default_size": {"width": 600, "height": 800}, "smart_object": "desk_frame"}"#,
  ]
}
