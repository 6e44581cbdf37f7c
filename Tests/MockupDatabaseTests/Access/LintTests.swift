import Postgres
import TestSupport
import Testing

@Suite struct LintTests {
  @Test(arguments: Lint.all)
  func `each check passes on the schema and detects the defect that it is for`(_ lint: Lint)
    async throws
  {
    try await MigratedDatabase.with { database in
      try await database.withOwner { pool in
        let findings = try await pool.lines(lint.query)
        #expect(findings.isEmpty)
        let (before, after) = try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("SAVEPOINT clean")
          try await transaction.runScript(Lint.scratch)
          let before = try await transaction.lines(lint.query)
          try await transaction.runScript(lint.damage)
          let after = try await transaction.lines(lint.query)
          try await transaction.execute("ROLLBACK TO SAVEPOINT clean")
          return (before, after)
        }
        #expect(before.isEmpty)
        #expect(after == [lint.finding])
      }
    }
  }

  @Test func `the schema passes every check under the default privileges of Supabase`() async throws
  {
    try await InitialDatabase.with { initial in
      try await initial.migrate()
      try await initial.database.withOwner { pool in
        for lint in Lint.all {
          let findings = try await pool.lines(lint.query)
          #expect(findings.isEmpty, "\(lint.testDescription)")
        }
      }
    }
  }

  @Test func `the schema passes every check in a Supabase project`() async throws {
    try await SupabaseProject.with { project in
      try await project.migrate()
      try await project.database.withOwner { pool in
        for lint in Lint.all {
          let findings = try await pool.lines(lint.query)
          #expect(findings.isEmpty, "\(lint.testDescription)")
        }
      }
    }
  }

  /// The checks find the defects of the initial schema.
  @Test func `the initial schema fails four checks`() async throws {
    try await InitialDatabase.with { initial in
      try await initial.database.withOwner { pool in
        var names: Set<String> = []
        for lint in Lint.all where !(try await pool.lines(lint.query)).isEmpty {
          names.insert(lint.testDescription)
        }
        #expect(
          names == [
            "unindexed_foreign_keys", "auth_rls_initplan", "function_search_path_mutable",
            "anon_security_definer_function_executable",
          ])
      }
    }
  }
}
