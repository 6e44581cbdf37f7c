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
          let count = sql.matches(of: /\$(\d+)/).compactMap { Int($0.1) }.max() ?? 0
          let nulls = Array(repeating: "NULL", count: count).joined(separator: ", ")
          do throws(PostgresError) {
            try await pool.withTransaction { transaction throws(PostgresError) in
              try await transaction.runScript(
                """
                SET TRANSACTION READ ONLY;
                PREPARE query AS \(sql);
                EXECUTE query\(count > 0 ? "(\(nulls))" : "");
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
}
