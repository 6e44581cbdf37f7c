public import FoundationEssentials
public import MockupCore
internal import Postgres

/// A mockup that a worker has leased.
public struct ClaimedMockup: Sendable, Hashable {
  /// The mockup, with the attempt number that the worker passes in later calls.
  public var mockup: Mockup
  /// The time when the lease expires unless the worker renews it.
  public var leaseExpiresAt: Date
  /// The number of credits that are held for the mockup.
  public var credits: Int32
  /// The vendor's id of the scene's template, or nil if the scene has no active template any more.
  public var templateID: String?
  /// The vendor's URL of the template, or nil if there is none.
  public var templateURL: String?
  /// The number of attempts that are left after this one.
  public var attemptsLeft: Int32
}

extension ClaimedMockup {
  fileprivate init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    self.init(
      mockup: try Mockup(&columns), leaseExpiresAt: try columns.read(),
      credits: try columns.read(), templateID: try columns.read(),
      templateURL: try columns.read(), attemptsLeft: try columns.read())
  }
}

/// The result of completing or failing a mockup.
public struct MockupOutcome: Sendable, Hashable {
  /// The current mockup.
  public var mockup: Mockup
  /// The user's credits after the change, in the period of the mockup's reservation.
  public var usage: Usage
  /// True if an earlier call ended the attempt in the same way.
  public var isReplayed: Bool
}

/// A worker's attempt to make a mockup.
public struct MockupAttempt: Sendable, Hashable {
  /// The id of the user who owns the mockup.
  public var userID: UUID
  /// The id of the mockup.
  public var mockupID: UUID
  /// The fencing token: the `Mockup.attempt` that the claim returned.
  public var number: Int32

  /// Creates an attempt from the ids and the token of a claimed mockup.
  public init(userID: UUID, mockupID: UUID, number: Int32) {
    self.userID = userID
    self.mockupID = mockupID
    self.number = number
  }
}

extension MockupStore {
  /// Leases the oldest pending mockups of all users to a worker.
  ///
  /// Expired leases are ended first, so that their mockups can be claimed again. Through a proxy
  /// database, the mockups are those of one partition.
  ///
  /// - Parameters:
  ///   - worker: The name of the worker.
  ///   - count: The maximum number of mockups.
  ///   - lease: The duration of the lease, in whole seconds.
  ///   - maximumBytes: The maximum total size of the mockups, as text. The first mockup is claimed
  ///     even if it is larger.
  public func claim(
    worker: String, count: Int32, lease: Duration, maximumBytes: Int32 = .max
  ) async throws(MockupError) -> [ClaimedMockup] {
    let now = now()
    do throws(PostgresError) {
      // The mockups of one partition only: if a claim in a second one failed, those of the first
      // would stay leased, and no worker would have them.
      let claims = try await visits.visit(
        pool, until: { !$0.isEmpty }
      ) { lane, partition throws(PostgresError) in
        _ = try await retrying(on: lane) { pool throws(PostgresError) in
          try await pool.execute(Queries.expireLeases, Parameters(now, count, partition))
        }
        return try await retrying(on: lane) { pool throws(PostgresError) in
          // After it has met the lock of a user, it claims the mockups of the others.
          let parameters = Parameters(
            now, worker, count, Int32(lease.components.seconds), maximumBytes, pool !== lane,
            partition)
          return try await pool.query(Queries.claimMockups, parameters, ClaimedMockup.init)
        }
      }
      return claims.last ?? []
    } catch {
      throw .database(error)
    }
  }

  /// Renews a lease, and returns its new expiry.
  ///
  /// - Throws: ``MockupError/lostLease(attempt:)`` if the mockup was claimed again, or
  ///   ``MockupError/wrongStatus(_:wanted:)`` if it is no longer being generated.
  public func heartbeat(
    _ attempt: MockupAttempt, lease: Duration
  ) async throws(MockupError) -> Date {
    let parameters = Parameters(
      now(), attempt.userID, attempt.mockupID, attempt.number, Int32(lease.components.seconds))
    let (row, expiresAt) = try await writeOne(
      Queries.heartbeatMockup, of: attempt.userID, parameters
    ) {
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

  /// Completes a mockup with a picture, and charges for it.
  ///
  /// - Parameters:
  ///   - attempt: The worker's attempt.
  ///   - picture: The picture that was made.
  ///   - credits: The number of credits that the vendor charged; nil means all held credits, and 0
  ///     releases them.
  ///   - allowsOverrun: If true, the charge may exceed the held credits while the excess is
  ///     available.
  public func complete(
    _ attempt: MockupAttempt, with picture: Picture, credits: Int32?, allowsOverrun: Bool
  ) async throws(MockupError) -> MockupOutcome {
    try await end(
      attempt, .completed(picture, credits: credits, allowsOverrun: allowsOverrun),
      wanted: .completed)
  }

  /// Ends an attempt that made no picture.
  ///
  /// - Parameters:
  ///   - attempt: The worker's attempt.
  ///   - reason: The error message for people.
  ///   - mayRetry: If true, and attempts are left, the mockup becomes pending again, and its
  ///     reservation is held until the next claim. Otherwise the mockup fails, and its reservation
  ///     is released.
  ///   - mayBeCharged: If true, the vendor may have charged, and the credits are not released. Nor
  ///     are they if the vendor may have charged for an earlier attempt of the round.
  public func fail(
    _ attempt: MockupAttempt, because reason: String, mayRetry: Bool, mayBeCharged: Bool = false
  ) async throws(MockupError) -> MockupOutcome {
    try await end(
      attempt, .failed(reason: reason, mayRetry: mayRetry, mayBeCharged: mayBeCharged),
      wanted: .failed)
  }

  /// Writes the end of an attempt in the next batch.
  private func end(
    _ attempt: MockupAttempt, _ result: AttemptEnd.Result, wanted: MockupStatus
  ) async throws(MockupError) -> MockupOutcome {
    let row: MockupRow
    do throws(PostgresError) {
      row = try await completion { completion throws(PostgresError) in
        try attemptEnds.submit(
          AttemptEnd(attempt: attempt, result: result), completion: completion)
      }
    } catch {
      throw .database(error)
    }
    guard row.outcome == wanted.rawValue, let mockup = row.mockup, let usage = row.usage else {
      throw row.error(of: attempt.mockupID, wanted: wanted)
    }
    return MockupOutcome(mockup: mockup, usage: usage, isReplayed: row.isReplayed)
  }
}
