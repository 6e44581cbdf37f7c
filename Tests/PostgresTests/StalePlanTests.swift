import TestSupport
import Testing

@testable import Postgres

@Suite struct StalePlanTests {
  private let setUp = """
    CREATE TABLE thing (name text);
    INSERT INTO thing VALUES ('a');
    CREATE FUNCTION things() RETURNS SETOF thing LANGUAGE sql STABLE SET search_path = public
      AS 'SELECT * FROM thing';
    CREATE FUNCTION names() RETURNS SETOF text LANGUAGE plpgsql STABLE SET search_path = public
      AS 'BEGIN RETURN QUERY SELECT t.name::text FROM things() AS t; END';
    """
  private let direct = Statement(name: "direct", sql: "SELECT name::text FROM things()")
  private let nested = Statement(name: "nested", sql: "SELECT name FROM names() AS name")
  private let row = Statement(name: "row", sql: "SELECT name FROM thing")

  private func with(_ body: (Connection, Connection) async throws -> Void) async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { owner in
        try await owner.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(setUp)
        }
        try await database.withConnection { connection in
          // PostgreSQL may keep the plan from the sixth execution on.
          for _ in 0..<6 {
            for statement in [direct, nested, row] {
              #expect(try await connection.column(statement) == ["a"])
            }
          }
          try await body(connection, owner)
        }
      }
    }
  }

  @Test func `a statement whose column types have changed is planned again`() async throws {
    try await with { connection, owner in
      for type in ["varchar(7)", "text", "varchar(9)"] {
        try await owner.execute(Statement("ALTER TABLE thing ALTER name TYPE \(type)"))
        for statement in [direct, nested, row] {
          #expect(try await connection.column(statement) == ["a"], "\(type) \(statement.sql)")
        }
      }
    }
  }

  @Test func `a transaction that fails with a stale plan succeeds when retried`() async throws {
    try await with { connection, owner in
      for statement in [direct, nested, row] {
        try await owner.execute("ALTER TABLE thing ALTER name TYPE varchar(7)")
        let run = {
          try await connection.withTransaction { transaction throws(PostgresError) in
            try await transaction.column(statement, as: String.self)
          }
        }
        let error = try await postgresError(run)
        #expect(error.isStalePlan && error.isRetriable, "\(error.report)")
        #expect(try await run() == ["a"])
        try await owner.execute("ALTER TABLE thing ALTER name TYPE text")
        for statement in [direct, nested, row] { _ = try await connection.execute(statement) }
      }
    }
  }

  @Test func `a statement with a type error fails and is not resent forever`()
    async throws
  {
    try await with { connection, _ in
      try await connection.execute(
        """
        CREATE FUNCTION wrong() RETURNS TABLE (name text) LANGUAGE plpgsql
          AS 'BEGIN RETURN QUERY SELECT 1; END'
        """)
      for statement in [
        Statement(name: "wrong", sql: "SELECT name FROM wrong()"), "SELECT wrong()",
      ] {
        let error = try await postgresError { try await connection.execute(statement) }
        #expect(error.code == .server(.datatypeMismatch))
      }
      #expect(try await connection.column(direct) == ["a"])
    }
  }
}
