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
  ///
  /// One test at a time has partitions, since each takes several of the databases that tests may
  /// have at the same time.
  public static func with<Value>(
    _ count: Int = 2, _ body: (PartitionedDatabase) async throws -> Value
  ) async throws -> Value {
    await Turn.shared.begin()
    let result: Result<Value, any Error>
    do {
      result = .success(try await with(count, [], body))
    } catch {
      result = .failure(error)
    }
    await Turn.shared.end()
    return try result.get()
  }

  private static func with<Value>(
    _ count: Int, _ partitions: [MigratedDatabase],
    _ body: (PartitionedDatabase) async throws -> Value
  ) async throws -> Value {
    guard partitions.count == count else {
      return try await MigratedDatabase.with { partition in
        try await with(count, partitions + [partition], body)
      }
    }
    return try await MigratedDatabase.withoutSchema { proxy in
      let database = PartitionedDatabase(partitions: partitions, proxy: proxy)
      try await database.makeProxy(over: partitions.map(\.service))
      return try await body(database)
    }
  }

  /// Runs the statements of `mockupd partitions` in the proxy database.
  public func makeProxy(over partitions: [PostgresConfiguration]) async throws {
    try await proxy.owner.makeProxy(over: partitions)
  }

  /// Creates a user of a partition.
  public func makeUser(in number: Int, annualBudget: Int? = nil) async throws -> UUID {
    var id = UUID()
    while Int(id.uuid.15) % partitions.count != number { id = UUID() }
    return try await partitions[number].makeUser(id, annualBudget: annualBudget)
  }

  /// Returns the discrepancies that the verifier finds in all partitions.
  public func discrepancies() async throws -> [String] {
    var found: [String] = []
    for partition in partitions { found += try await partition.discrepancies() }
    return found
  }

  private actor Turn {
    static let shared = Turn()

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func begin() async {
      guard isTaken else {
        isTaken = true
        return
      }
      await withCheckedContinuation { waiting.append($0) }
    }

    func end() {
      if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
  }
}
