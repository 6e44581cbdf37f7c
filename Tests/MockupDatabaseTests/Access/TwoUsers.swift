import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport

/// Two users who have one row in each table, and a pending and a completed mockup.
struct TwoUsers: Sendable {
  let ledger: LedgerFixture
  let user: UUID
  let other: UUID

  static func with(_ body: (TwoUsers) async throws -> Void) async throws {
    try await LedgerFixture.with { ledger in
      let users = TwoUsers(
        ledger: ledger, user: try await ledger.user(), other: try await ledger.user())
      for id in [users.user, users.other] {
        try await ledger.run("INSERT INTO assets (id, user_id) VALUES ('\(id)', '\(id)')")
        try await ledger.run("INSERT INTO quotes (id, user_id) VALUES ('\(id)', '\(id)')")
        try await ledger.run(
          """
          INSERT INTO mockups (user_id, asset_id, scene, status, file_url, file_key)
          VALUES ('\(id)', '\(id)', 'bedroom', 'pending', '', ''),
            ('\(id)', '\(id)', 'bedroom', 'completed', 'url', 'key')
          """)
        try await ledger.run(
          """
          INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id)
          VALUES ('\(id)', 'attic', 'Attic', 'dm_1')
          """)
        try await ledger.spend(3, for: id)
      }
      try await body(users)
    }
  }

  /// Replaces `$user`, `$other` and `$unknown` in a statement with ids.
  func filled(_ sql: String) -> String {
    sql.replacing("$user", with: "\(user)").replacing("$other", with: "\(other)")
      .replacing("$unknown", with: "\(UUID())")
  }
}
