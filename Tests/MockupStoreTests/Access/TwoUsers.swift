import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport

/// Two users who have one of everything each, and of mockups a pending and a completed one.
struct TwoUsers: Sendable {
  let books: Books
  let user: UUID
  let other: UUID

  static func with(_ body: (TwoUsers) async throws -> Void) async throws {
    try await Books.with { books in
      let users = TwoUsers(
        books: books, user: try await books.user(), other: try await books.user())
      for id in [users.user, users.other] {
        try await books.run("INSERT INTO assets (id, user_id) VALUES ('\(id)', '\(id)')")
        try await books.run("INSERT INTO quotes (id, user_id) VALUES ('\(id)', '\(id)')")
        try await books.run(
          """
          INSERT INTO mockups (user_id, asset_id, scene, status, file_url, file_key)
          VALUES ('\(id)', '\(id)', 'bedroom', 'pending', '', ''),
            ('\(id)', '\(id)', 'bedroom', 'completed', 'url', 'key')
          """)
        try await books.run(
          """
          INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id)
          VALUES ('\(id)', 'attic', 'Attic', 'dm_1')
          """)
        try await books.spend(3, for: id)
      }
      try await body(users)
    }
  }

  /// A statement with its `$user`, `$other` and `$nobody` filled in.
  func filled(_ sql: String) -> String {
    sql.replacing("$user", with: "\(user)").replacing("$other", with: "\(other)")
      .replacing("$nobody", with: "\(UUID())")
  }
}
