import FoundationEssentials
import Postgres
import TestSupport
import Testing

/// The queries that are declared as reading, and that are therefore cancelled after they were sent.
@Suite struct ReadingQueryTests {
  @Test func `queries that are declared as reading run in a read-only transaction`() async throws {
    let declarations = try Checkout.text(of: "Sources/MockupDatabase/Schema/Queries.swift")
    let names = declarations.matches(of: /= reading\(\s*"(\w+)"/).map { String($0.1) }
    #expect(names.count > 10)
    try await MigratedDatabase.with { database in
      try await database.withPool { pool in
        for name in names {
          let sql = try Checkout.text(of: "Sources/MockupDatabase/SQL/Queries/\(name).sql")
          let types = Self.parameterTypes(of: sql)
          let nulls = types.map { _ in "NULL" }
          do throws(PostgresError) {
            try await pool.withTransaction { transaction throws(PostgresError) in
              try await transaction.runScript(
                """
                SET TRANSACTION READ ONLY;
                PREPARE query\(Self.list(types)) AS \(sql);
                EXECUTE query\(Self.list(nulls));
                DEALLOCATE query
                """)
            }
          } catch {
            Issue.record("\(name): \(error.report)")
          }
        }
      }
    }
  }

  /// Returns the types of a query's parameters, which its comment states: `$1 uuid  user`.
  private static func parameterTypes(of sql: String) -> [String] {
    let types = sql.matches(of: /\$(\d+) +([a-z0-9]+(?:\[\])?)/).filter { match in
      ["bigint", "boolean", "bytea", "float8", "integer", "jsonb", "text", "timestamptz", "uuid"]
        .contains(match.2.replacing("[]", with: ""))
    }
    return types.sorted { Int($0.1)! < Int($1.1)! }.map { String($0.2) }
  }

  private static func list(_ items: [String]) -> String {
    items.isEmpty ? "" : "(\(items.joined(separator: ", ")))"
  }
}
