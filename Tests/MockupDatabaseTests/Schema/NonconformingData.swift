import FoundationEssentials
import Postgres

/// Data that the initial schema accepts, most of which later checks reject.
struct NonconformingData: Sendable {
  /// A user with valid settings, ledger entries and a mockup in each state.
  let user = UUID()
  /// A user with invalid settings, and with ledger entries and mockups that violate checks.
  let odd = UUID()
  /// A user without settings, who has a template that is marked as a system template.
  let third = UUID()

  var sql: String {
    """
    INSERT INTO auth.users (id) VALUES ('\(user)'), ('\(odd)'), ('\(third)');
    INSERT INTO user_settings (user_id, guardrails) VALUES
      ('\(user)', '{"annual_mockup_budget": 500, "monthly_mockup_soft_limit": 50, "other": 1}'),
      ('\(odd)', '{"annual_mockup_budget": "abc", "monthly_mockup_soft_limit": "12.5"}');
    INSERT INTO assets (id, user_id) VALUES ('\(user)', '\(user)'), ('\(odd)', '\(odd)');
    INSERT INTO quotes (id, user_id) VALUES ('\(user)', '\(user)');
    \(mockups)
    \(entries)
    \(templates)
    """
  }

  private var mockups: String {
    """
    INSERT INTO mockups (user_id, asset_id, quote_id, scene, file_url, file_key, status)
    SELECT '\(user)', '\(user)', '\(user)', 'bedroom', 'url', 'key', status
    FROM unnest(ARRAY[
      'pending', 'generating', 'completed', 'failed', 'approved', 'rejected']) AS status;
    -- In order: no file, another user's asset, another user's quote, and invalid numbers.
    INSERT INTO mockups (
      id, user_id, asset_id, quote_id, scene, file_url, file_key, status, error_message,
      credits_used, quality_score, total_pins, total_impressions, dm_metadata)
    VALUES
      ('\(odd)', '\(odd)', '\(odd)', NULL, '', '', '', 'completed', 'failed', 0, 0, 0, 0, NULL),
      (DEFAULT, '\(odd)', '\(user)', NULL, 'x', 'u', 'k', 'completed', NULL, 1, 1, 0, 0, '[1]'),
      (DEFAULT, '\(odd)', '\(odd)', '\(user)', 'x', 'u', 'k', 'failed', NULL, 1, 1, 0, 0, 'null'),
      (DEFAULT, '\(odd)', '\(odd)', NULL, 'x', 'u', 'k', 'approved', NULL, -3, -9.5, -1, -2, '{}');
    """
  }

  private var entries: String {
    """
    INSERT INTO mockup_credit_usage (
      user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
      created_at)
    SELECT id::uuid, mockup::uuid, credits, operation, 7, 7, year, month, at::timestamptz
    FROM (VALUES
      ('\(user)', NULL, 120, 'generation', 2025, 1, '2025-01-05 00:00:00+00'),
      ('\(user)', NULL, 30, 'regeneration', 2025, 1, '2025-01-05 00:00:00+00'),
      ('\(user)', NULL, 20, 'refund', 2025, 2, '2025-02-05 00:00:00+00'),
      ('\(user)', NULL, 5, 'generation', 2024, 12, '2025-01-01 00:00:00+00'),
      ('\(odd)', '\(odd)', -40, 'generation', 2025, 1, '2025-01-05 00:00:00+00'),
      ('\(odd)', '\(odd)', 9, 'gift', 2025, 1, '2025-01-05 00:00:00+00'),
      ('\(odd)', '\(odd)', 0, 'refund', 2025, 1, '2025-01-06 00:00:00+00'),
      ('\(odd)', '\(odd)', 2147483647, 'generation', 2025, 13, '2025-01-07 00:00:00+00'),
      ('\(odd)', '\(odd)', 2147483647, 'generation', 2025, 5, '2025-01-08 00:00:00+00'),
      ('\(odd)', NULL, 1, 'Generation', -1, 0, '2025-01-08 00:00:00+00')
    ) AS v (id, mockup, credits, operation, year, month, at);
    """
  }

  private var templates: String {
    """
    INSERT INTO mockup_scene_templates (
      user_id, scene_key, name, dm_template_id, is_active, is_system, recommended_collections,
      created_at)
    SELECT id::uuid, key, name, 'dm_1', is_active, is_system, NULL, at::timestamptz
    FROM (VALUES
      ('\(user)', 'bedroom', 'Mine', true, false, '2025-01-01 00:00:00+00'),
      ('\(user)', 'attic', 'An inactive one', false, false, '2025-01-01 00:00:00+00'),
      ('\(user)', 'attic', 'The first', true, false, '2025-01-02 00:00:00+00'),
      ('\(user)', 'attic', 'The second', true, false, '2025-01-03 00:00:00+00'),
      ('\(odd)', 'attic', 'One', true, false, '2025-01-01 00:00:00+00'),
      ('\(third)', 'bedroom', 'Not the system''s', true, true, '2025-01-01 00:00:00+00'),
      (NULL, 'cellar', 'Nobody''s', true, false, '2025-01-01 00:00:00+00'),
      (NULL, 'gallery', 'The system''s sixth', true, true, '2025-01-01 00:00:00+00')
    ) AS v (id, key, name, is_active, is_system, at);
    """
  }

  /// The number of rows of every table, including the five system templates.
  static let counts = [
    "assets": 2, "auth.users": 3, "mockup_credit_usage": 10, "mockup_scene_templates": 13,
    "mockups": 10, "quotes": 1, "user_settings": 2,
  ]

  /// Returns every row of every table, with the columns of the initial schema only.
  static func rows(in pool: Pool) async throws -> [String: [String]] {
    var rows: [String: [String]] = [:]
    for table in counts.keys {
      let columns = InitialSchema.columns.first { $0.table == table }?.columns ?? []
      let names = columns.map { "'\($0.prefix { $0 != " " })'" }.joined(separator: ", ")
      let column = names.isEmpty ? "true" : "key IN (\(names))"
      rows[table] = try await pool.lines(
        """
        SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE \(column))
        FROM \(table) AS t ORDER BY to_jsonb(t) ->> 'id', to_jsonb(t) ->> 'user_id'
        """)
    }
    return rows
  }
}
