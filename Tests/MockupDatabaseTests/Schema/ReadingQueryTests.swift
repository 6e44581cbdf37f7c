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
    let names = [
      "bigint", "boolean", "bytea", "float8", "integer", "jsonb", "text", "timestamptz", "uuid",
    ]
    let types = sql.matches(of: /\$(\d+) +([a-z0-9]+(?:\[\])?)/).compactMap { match in
      Int(match.1).map { (number: $0, type: String(match.2)) }
    }
    return types.filter { names.contains($0.type.replacing("[]", with: "")) }
      .sorted { $0.number < $1.number }.map(\.type)
  }

  private static func list(_ items: [String]) -> String {
    items.isEmpty ? "" : "(\(items.joined(separator: ", ")))"
  }
}
