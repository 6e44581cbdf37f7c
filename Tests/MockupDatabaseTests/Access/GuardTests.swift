import FoundationEssentials
import Postgres
import TestSupport
import Testing

/// The rules for rows that are written by SQL, whatever the role.
@Suite struct GuardTests {
  private static let states = [
    "pending", "generating", "completed", "failed", "approved", "rejected",
  ]

  private static let transitions: [String: Set<String>] = [
    "pending": ["generating", "failed"],
    "generating": ["completed", "failed"],
    "completed": ["approved", "rejected", "pending"],
    "failed": ["pending"],
    "approved": ["pending"],
    "rejected": ["pending"],
  ]

  /// Additional transitions by the engine's functions, which run as the owner.
  private static let ownerTransitions: [String: Set<String>] = [
    "generating": ["pending", "approved"]
  ]

  @Test(arguments: states)
  func `the status of a mockup changes only along allowed transitions`(from state: String)
    async throws
  {
    try await TwoUsers.with { users in
      for next in Self.states {
        try await users.ledger.run(
          """
          INSERT INTO mockups (user_id, asset_id, scene, status, file_url, file_key)
          VALUES ('\(users.user)', '\(users.user)', '\(next)', '\(state)', 'url', 'key')
          """)
        let may = next == state || Self.transitions[state]?.contains(next) == true
        let ownerMay = may || Self.ownerTransitions[state]?.contains(next) == true
        for (role, may) in [("service_role", may), (nil, ownerMay)] {
          let error = await catching {
            try await users.ledger.owner.withTransaction { transaction throws(PostgresError) in
              if let role { try await transaction.execute(Statement("SET LOCAL ROLE \(role)")) }
              try await transaction.execute(
                Statement("UPDATE mockups SET status = '\(next)' WHERE scene = '\(next)'"))
            }
          }
          if may {
            #expect(error == nil, "\(next)")
          } else {
            #expect(error?.sqlState == .checkViolation, "\(next)")
            #expect(error?.constraint == "mockups_status_transition")
            #expect(error?.message == "a mockup cannot change from \(state) to \(next)")
          }
        }
      }
    }
  }

  @Test(arguments: states)
  func `only a pending, generating or failed mockup may have no file`(in state: String)
    async throws
  {
    try await TwoUsers.with { users in
      for (url, key) in [("''", "'key'"), ("'url'", "''"), ("DEFAULT", "DEFAULT")] {
        let error = await catching {
          try await users.ledger.run(
            """
            INSERT INTO mockups (user_id, asset_id, scene, status, file_url, file_key)
            VALUES ('\(users.user)', '\(users.user)', 'bedroom', '\(state)', \(url), \(key))
            """)
        }
        let mayBeWithout = ["pending", "generating", "failed"].contains(state)
        #expect(error?.constraint == (mayBeWithout ? nil : "mockups_files_when_completed"))
      }
    }
  }

  @Test func `the asset and the quote of a mockup belong to its user`() async throws {
    try await TwoUsers.with { users in
      func insert(_ asset: String, _ quote: String) -> String {
        "INSERT INTO mockups (user_id, asset_id, quote_id, scene) "
          + "VALUES ('$user', \(asset), \(quote), 'attic')"
      }
      let table: [(sql: String, constraint: String?)] = [
        (insert("'$user'", "NULL"), nil),
        (insert("'$user'", "'$user'"), nil),
        (insert("'$other'", "NULL"), "mockups_asset_owner"),
        (insert("'$unknown'", "NULL"), "mockups_asset_owner"),
        (insert("'$user'", "'$other'"), "mockups_quote_owner"),
        (insert("'$user'", "'$unknown'"), "mockups_quote_owner"),
        ("UPDATE mockups SET asset_id = '$other' WHERE scene = 'attic'", "mockups_asset_owner"),
        ("UPDATE mockups SET quote_id = '$other' WHERE scene = 'attic'", "mockups_quote_owner"),
        ("UPDATE mockups SET user_id = '$other' WHERE scene = 'attic'", "mockups_asset_owner"),
        ("UPDATE mockups SET quote_id = NULL WHERE scene = 'attic'", nil),
      ]
      for (sql, constraint) in table {
        let error = await catching { try await users.ledger.run(users.filled(sql)) }
        #expect(error?.constraint == constraint, "\(sql)")
        #expect(error?.sqlState == (constraint == nil ? nil : .foreignKeyViolation))
      }
    }
  }

  /// The error does not reveal whether an id exists.
  @Test func `an asset of another user and an unknown asset get the same error`() async throws {
    try await TwoUsers.with { users in
      func message(of asset: UUID) async -> String? {
        await catching {
          try await users.ledger.run(
            "INSERT INTO mockups (user_id, asset_id, scene) "
              + "VALUES ('\(users.user)', '\(asset)', 'attic')")
        }?.message.replacing("\(asset)".lowercased(), with: "…")
      }
      let (existing, missing) = (await message(of: users.other), await message(of: UUID()))
      #expect(existing?.hasSuffix("has no asset …") == true)
      #expect(existing == missing)
    }
  }

  /// Data from before the migrations may have such rows.
  @Test func `a mockup whose asset belongs to another user can still be updated`() async throws {
    try await TwoUsers.with { users in
      let (user, other) = (users.user, users.other)
      try await users.ledger.run(
        """
        INSERT INTO mockups (user_id, asset_id, quote_id, scene)
        VALUES ('\(user)', '\(user)', '\(user)', 'attic')
        """)
      try await users.ledger.run("UPDATE assets SET user_id = '\(other)' WHERE id = '\(user)'")
      try await users.ledger.run("UPDATE mockups SET total_pins = 1 WHERE scene = 'attic'")
      try await users.ledger.run("DELETE FROM quotes WHERE id = '\(user)'")
      let mockups = try await users.ledger.lines(
        "SELECT total_pins FROM mockups WHERE scene = 'attic' AND quote_id IS NULL")
      #expect(mockups == ["1"])
    }
  }

  @Test func `two users may have templates with the same key`() async throws {
    try await TwoUsers.with { users in
      let attics = try await users.ledger.lines(
        "SELECT count(*) FROM mockup_scene_templates WHERE scene_key = 'attic'")
      #expect(attics == ["2"])
      let error = await catching {
        try await users.ledger.run(
          """
          INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, is_active)
          VALUES ('\(users.user)', 'attic', 'Attic', 'dm_1', false)
          """)
      }
      #expect(error?.constraint == "mockup_scene_templates_user_key")
    }
  }

  private func catching(_ body: () async throws -> Void) async -> PostgresError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? PostgresError
    }
  }
}
