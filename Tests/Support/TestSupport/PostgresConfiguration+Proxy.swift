internal import MockupSchema
public import Postgres

extension PostgresConfiguration {
  /// Runs the statements of `mockupd partitions` in this database, as its owner.
  public func makeProxy(over partitions: [PostgresConfiguration]) async throws {
    let configurations = partitions.map { partition in
      var configuration = partition
      configuration.searchPath = "pg_catalog, pg_temp"
      return configuration
    }
    let script = try await ProxyScript(partitions: configurations).text
    var owner = self
    owner.connectionCount = 1
    try await owner.withPool { pool in
      // The script has a transaction of its own.
      try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.runScript(
          script.replacing("\nBEGIN;\n", with: "\n").replacing("\nCOMMIT;\n", with: "\n"))
      }
    }
  }
}
