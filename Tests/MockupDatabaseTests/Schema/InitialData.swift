import FoundationEssentials
import Postgres

/// Data that the initial schema accepts, some of which later checks reject.
enum InitialData {
  static func sql(user: UUID, other: UUID) -> String {
    """
    INSERT INTO auth.users (id) VALUES ('\(user)'), ('\(other)');
    INSERT INTO user_settings (user_id, guardrails) VALUES ('\(user)', '{}');
    INSERT INTO assets (id, user_id) VALUES ('\(user)', '\(user)');
    INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key, quality_score) VALUES
      ('\(user)', '\(user)', '\(user)', 'bedroom', 'url', 'key', 0.5),
      ('\(other)', '\(user)', '\(user)', 'bedroom', 'url', 'key', 1.5);
    INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id)
    VALUES ('\(user)', 'bedroom', 'Mine', 'dm_1');
    INSERT INTO mockup_credit_usage
      (user_id, mockup_id, credits, operation, balance_before, balance_after, year, month,
      created_at)
    VALUES
      ('\(user)', '\(user)', 100, 'generation', 3500, 3400, 2025, 3, '2025-03-02 10:00:00+00'),
      ('\(user)', NULL, 20, 'refund', 3400, 3420, 2025, 3, '2025-03-03 10:00:00+00'),
      ('\(user)', NULL, -5, 'generation', 3420, 3425, 2025, 3, '2025-03-04 10:00:00+00'),
      ('\(user)', NULL, 7, 'gift', 0, 0, 2025, 3, '2025-03-05 10:00:00+00'),
      ('\(user)', NULL, 3, 'regeneration', 3425, 3422, 2025, 4, '2025-04-01 10:00:00+00'),
      ('\(user)', NULL, 0, 'generation', 3422, 3422, 2025, 0, '2025-04-02 10:00:00+00'),
      ('\(user)', NULL, 2, 'generation', 3500, 3498, 2024, 12, '2025-01-01 10:00:00+00'),
      ('\(user)', NULL, 1, 'generation', 3498, 3497, 2024, 12, '2024-12-01 10:00:00+00'),
      ('\(other)', NULL, -2147483648, 'refund', 0, 0, 2025, 3, '2025-03-01 10:00:00+00');
    """
  }

  /// The user's ledger entries after the migration: year, sequence, credits and operation.
  static let entries = [
    "2024 1 1 generation", "2024 2 2 generation",
    "2025 1 100 generation", "2025 2 20 refund", "2025 3 -5 generation", "2025 4 7 gift",
    "2025 5 3 regeneration", "2025 6 0 generation",
  ]

  /// Returns a query for every row of a table, with the columns of the initial schema only.
  static func query(_ table: String) -> String {
    """
    SELECT to_jsonb(t)
      - '{sequence,reservation_id,late,overrun,refunded_entry_id,annual_budget}'::text[]
    FROM \(table) AS t ORDER BY id
    """
  }

  static func tables(in pool: Pool) async throws -> [(String, [String])] {
    var tables: [(String, [String])] = []
    for table in ["auth.users", "mockups", "mockup_scene_templates", "mockup_credit_usage"] {
      tables.append((table, try await pool.lines(query(table))))
    }
    return tables
  }
}
