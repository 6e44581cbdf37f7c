internal import FoundationEssentials
public import Postgres

extension Pool {
  /// The largest number of partitions of a proxy database.
  public static var maximumPartitions: Int { 16 }

  /// The number of partitions, as far as it is known; 1 in a database that is not divided.
  var knownPartitionCount: Int { laneCount ?? 1 }

  /// Returns the number of partitions; 1 in a database that is not divided.
  ///
  /// The first call asks the database, and divides the pool into a lane for each partition.
  func partitionCount() async throws(PostgresError) -> Int {
    if let laneCount { return laneCount }
    return try await learnPartitions(from: self)
  }

  /// Asks the database for its partitions, and divides the pool into a lane for each.
  ///
  /// - Parameter executor: The connection that asks.
  /// - Returns: The number of partitions; 1 in a database that is not divided.
  @discardableResult
  public func learnPartitions(
    from executor: some StatementExecutor
  ) async throws(PostgresError) -> Int {
    let urls = try await Self.partitionURLs(from: executor)
    try divide(into: urls.count) { lane in
      // The proxy's sessions in the partitions have the time limit. If the session of the proxy had
      // it, too, it would report a statement as undone that the partition may complete.
      lane.statementTimeout = .zero
    }
    return laneCount ?? 1
  }

  /// Returns the connection strings of the partitions of a proxy database, in order, for the
  /// server's login; none in a database that is not divided.
  public static func partitionURLs(
    from executor: some StatementExecutor
  ) async throws(PostgresError) -> [String] {
    try await executor.query(Queries.listPartitions) { row throws(PostgresError) in
      try row.decode(String.self, at: 0)
    }
  }

  /// Returns the lane of a user's partition; no user means the first partition.
  func partition(of userID: UUID?) -> Pool {
    lane(userID?.partition(of: knownPartitionCount) ?? 0)
  }

  /// Returns the lane of the partition of all users, or this pool if they have several.
  func partition(of userIDs: some Sequence<UUID>) -> Pool {
    let numbers = Set(userIDs.map { $0.partition(of: knownPartitionCount) })
    return numbers.count == 1 ? lane(numbers.first ?? 0) : self
  }
}

extension UUID {
  /// Returns the number of the partition that an id decides on: that of a user, or the home of a
  /// batch of pins and impressions.
  ///
  /// The last byte decides. It is random, or as good as random, in every kind of UUID in use.
  func partition(of count: Int) -> Int { Int(uuid.15) % count }
}

/// Divides the indices of items so that the users of each part belong to one partition.
///
/// - Parameters:
///   - userIDs: The users of the items.
///   - count: The number of partitions.
func indicesByPartition(_ userIDs: [UUID?], of count: Int) -> [(partition: Int, indices: [Int])] {
  var parts: [Int: [Int]] = [:]
  for (index, userID) in userIDs.enumerated() {
    parts[userID?.partition(of: count) ?? 0, default: []].append(index)
  }
  return parts.sorted { $0.key < $1.key }.map { (partition: $0.key, indices: $0.value) }
}
