public import FoundationEssentials
public import Mockups
internal import Postgres

/// A mockup that a worker has.
public struct ClaimedMockup: Sendable, Hashable {
  public var mockup: Mockup
  public var leaseExpiresAt: Date
  /// What is set aside for it.
  public var credits: Int32
  /// The vendor's template, as the scene resolves now; `nil`: it no longer does.
  public var templateID: String?
  public var templateURL: String?
  /// How many attempts it may still have after this one.
  public var attemptsLeft: Int32
}

/// What completing or failing a mockup came to.
public struct MockupOutcome: Sendable, Hashable {
  public var mockup: Mockup
  /// The user's credits after it.
  public var usage: Usage
  /// The attempt was ended so before.
  public var isReplayed: Bool
}

/// A worker's claim to a mockup.
public struct MockupAttempt: Sendable, Hashable {
  public var userID: UUID
  public var mockupID: UUID
  /// The token that the claim gave.
  public var number: Int32

  public init(userID: UUID, mockupID: UUID, number: Int32) {
    self.userID = userID
    self.mockupID = mockupID
    self.number = number
  }
}

extension MockupsStore {
  /// Leases the oldest pending mockups, those among them whose lease has lapsed.
  ///
  /// - Parameters:
  ///   - lease: Whole seconds.
  ///   - count: How many at most.
  ///   - maximumBytes: How long they may be together, as text; the first is claimed in any case.
  public func claim(
    worker: String, count: Int32, lease: Duration, maximumBytes: Int32 = .max
  ) async throws(MockupError) -> [ClaimedMockup] {
    let now = now()
    _ = try await expireLeases(at: now, limit: count)
    let parameters = Parameters(
      now, worker, count, Int32(lease.components.seconds), maximumBytes)
    return try await change(Queries.claimMockups, parameters) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      return ClaimedMockup(
        mockup: try Mockup(&columns),
        leaseExpiresAt: try columns.read(),
        credits: try columns.read(),
        templateID: try columns.read(),
        templateURL: try columns.read(),
        attemptsLeft: try columns.read())
    }
  }

  /// Takes back leases that have lapsed, and returns how many.
  private func expireLeases(at now: Date, limit: Int32) async throws(MockupError) -> Int32 {
    try await changeOne(Queries.expireLeases, Parameters(now, limit)) { row throws(PostgresError) in
      try row.decode(Int32.self, at: 0)
    }
  }

  /// Renews a lease, and returns when it ends now.
  public func heartbeat(
    _ attempt: MockupAttempt, lease: Duration
  ) async throws(MockupError) -> Date {
    let parameters = Parameters(
      now(), attempt.userID, attempt.mockupID, attempt.number, Int32(lease.components.seconds))
    let (row, expiresAt) = try await changeOne(Queries.heartbeatMockup, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      let outcome = try columns.read(String.self)
      let mockup = try Mockup(ifPresent: &columns)
      return (MockupRow(outcome: outcome, mockup: mockup), try columns.read(Date?.self))
    }
    guard row.outcome == "renewed", let expiresAt else {
      throw row.error(of: attempt.mockupID, wanted: .generating)
    }
    return expiresAt
  }

  /// Records a picture, and charges for it.
  ///
  /// - Parameters:
  ///   - credits: What the vendor charged; `nil`: all that is set aside.
  ///   - allowsOverrun: More than is set aside may be charged, if it is available.
  public func complete(
    _ attempt: MockupAttempt, with picture: Picture, credits: Int32?, allowsOverrun: Bool
  ) async throws(MockupError) -> MockupOutcome {
    let parameters = Parameters(
      now(), attempt.userID, attempt.mockupID, attempt.number,
      picture.fileURL, picture.fileKey, picture.thumbnailURL, picture.renderID, picture.metadata,
      picture.qualityScore, credits, allowsOverrun, makeID())
    let row = try await changeOne(Queries.completeMockup, parameters) { row throws(PostgresError) in
      try MockupRow(changing: row)
    }
    guard row.outcome == "completed", let mockup = row.mockup, let usage = row.usage else {
      throw row.error(of: attempt.mockupID, wanted: .completed)
    }
    return MockupOutcome(mockup: mockup, usage: usage, isReplayed: row.isReplayed)
  }

  /// Ends an attempt that made no picture.
  ///
  /// - Parameters:
  ///   - mayRetry: Whether the mockup is pending again while it has attempts left. Its reservation is then
  ///     held until the next claim; otherwise it is released.
  ///   - mayBeCharged: Whether the vendor may have charged: the credits are then not released.
  public func fail(
    _ attempt: MockupAttempt, because reason: String, mayRetry: Bool, mayBeCharged: Bool = false
  ) async throws(MockupError) -> MockupOutcome {
    let parameters = Parameters(
      now(), attempt.userID, attempt.mockupID, attempt.number, reason, mayRetry, mayBeCharged)
    let row = try await changeOne(Queries.failMockup, parameters) { row throws(PostgresError) in
      try MockupRow(changing: row)
    }
    guard row.outcome == "failed", let mockup = row.mockup, let usage = row.usage else {
      throw row.error(of: attempt.mockupID, wanted: .failed)
    }
    return MockupOutcome(mockup: mockup, usage: usage, isReplayed: row.isReplayed)
  }
}
