public import FoundationEssentials
internal import MockupSchema
public import Postgres

/// A proxy database over partitions, for a single test.
///
/// All databases are in the PostgreSQL of the tests, which needs the extension PL/Proxy.
public struct PartitionedDatabase: Sendable {
  /// The partitions, in order.
  public let partitions: [MigratedDatabase]
  /// The proxy database.
  public let proxy: MigratedDatabase

  /// Runs a closure with new databases, and drops them.
  public static func with<Value>(
    _ count: Int = 2, _ body: (PartitionedDatabase) async throws -> Value
  ) async throws -> Value {
    try await MigratedDatabase.withSeveral(count) { partitions, proxy in
      let database = PartitionedDatabase(partitions: partitions, proxy: proxy)
      try await database.makeProxy(over: partitions.map(\.service))
      return try await body(database)
    }
  }

  /// The partitions and the proxy as the database of a test that has no partitions of its own.
  ///
  /// The server's login calls the proxy, and the owner is that of the last partition.
  var asOne: MigratedDatabase {
    let last = partitions[partitions.count - 1]
    return MigratedDatabase(
      owner: last.owner, service: proxy.service, owners: partitions.map(\.owner), name: last.name)
  }

  /// Runs the statements of `mockupd partitions` in the proxy database.
  public func makeProxy(over partitions: [PostgresConfiguration]) async throws {
    try await proxy.owner.makeProxy(over: partitions)
  }

  /// Creates a user of a partition.
  public func makeUser(in number: Int, annualBudget: Int? = nil) async throws -> UUID {
    try await partitions[number].makeUser(
      asOne.id(inPartition: number), annualBudget: annualBudget)
  }

  /// Returns the discrepancies that the verifier finds in all partitions.
  public func discrepancies() async throws -> [String] {
    var found: [String] = []
    for partition in partitions { found += try await partition.discrepancies() }
    return found
  }
}
