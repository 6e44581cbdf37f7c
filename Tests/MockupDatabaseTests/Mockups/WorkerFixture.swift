import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// A ledger for one test, with a mockup store that uses the same clock.
struct WorkerFixture: Sendable {
  let ledger: LedgerFixture
  let store: MockupStore

  /// Runs a closure with an empty fixture, and expects no discrepancies at the end.
  static func with(
    at time: String = "2026-05-10T12:00:00Z", _ body: (WorkerFixture) async throws -> Void
  ) async throws {
    try await LedgerFixture.with(at: time) { ledger in
      try await ledger.database.withPool { pool in
        let store = MockupStore(pool: pool, now: { ledger.clock.now })
        try await body(WorkerFixture(ledger: ledger, store: store))
      }
    }
  }

  func asset(of user: UUID) async throws -> UUID {
    let id = UUID()
    try await ledger.run("INSERT INTO assets (id, user_id) VALUES ('\(id)', '\(user)')", for: user)
    return id
  }

  func quote(of user: UUID) async throws -> UUID {
    let id = UUID()
    try await ledger.run("INSERT INTO quotes (id, user_id) VALUES ('\(id)', '\(user)')", for: user)
    return id
  }

  /// Inserts a scene template of a user.
  func scene(
    _ key: String, of user: UUID, template: String, config: String = "{}", isActive: Bool = true
  ) async throws {
    try await ledger.run(
      """
      INSERT INTO mockup_scene_templates
        (user_id, scene_key, name, dm_template_id, config, is_active)
      VALUES ('\(user)', '\(key)', 'Own', '\(template)', '\(config)', \(isActive))
      """, for: user)
  }

  // MARK: Store calls

  func generate(
    _ assets: [UUID], _ scenes: [String] = ["bedroom"], for user: UUID, id: UUID = UUID(),
    skipsApproval: Bool = false, quote: UUID? = nil, credits: Int32 = 1, seconds: Int = 86_400
  ) async throws -> GenerationOutcome {
    try await store.generate(
      GenerationRequest(
        userID: user, id: id, assetIDs: assets, scenes: scenes, skipsApproval: skipsApproval,
        quoteID: quote, cost: MockupCost(credits: credits, timeToLive: .seconds(seconds))))
  }

  /// Requests one mockup of a new asset.
  func pending(
    of user: UUID, credits: Int32 = 1, skipsApproval: Bool = false, seconds: Int = 86_400
  ) async throws -> UUID {
    let outcome = try await generate(
      [try await asset(of: user)], for: user, skipsApproval: skipsApproval, credits: credits,
      seconds: seconds)
    return try #require(outcome.mockups.first)
  }

  func claim(
    _ count: Int32 = 1, worker: String = "w", lease: Int = 60
  ) async throws -> [ClaimedMockup] {
    try await store.claim(worker: worker, count: count, lease: .seconds(lease))
  }

  /// Requests one mockup of a new asset, and claims it; no other mockup may be pending.
  func claimed(
    of user: UUID, credits: Int32 = 1, skipsApproval: Bool = false
  ) async throws -> MockupAttempt {
    let id = try await pending(of: user, credits: credits, skipsApproval: skipsApproval)
    let claimed = try #require(try await claim().first)
    #expect(claimed.mockup.id == id)
    return MockupAttempt(claimed)
  }

  @discardableResult
  func complete(
    _ attempt: MockupAttempt, _ picture: Picture = .any, credits: Int32? = nil,
    allowsOverrun: Bool = false
  ) async throws -> MockupOutcome {
    try await store.complete(
      attempt, with: picture, credits: credits, allowsOverrun: allowsOverrun)
  }

  @discardableResult
  func regenerate(
    _ id: UUID, of user: UUID, requestID: UUID = UUID(), skipsApproval: Bool = false,
    credits: Int32 = 1, seconds: Int = 86_400
  ) async throws -> RegenerationOutcome {
    try await store.regenerate(
      id, of: user, requestID: requestID, skipsApproval: skipsApproval,
      cost: MockupCost(credits: credits, timeToLive: .seconds(seconds)))
  }

  /// Makes a mockup with a status; no other mockup may be pending.
  func mockup(of user: UUID, as status: MockupStatus) async throws -> UUID {
    switch status {
    case .pending: return try await pending(of: user)
    case .generating: return try await claimed(of: user).mockupID
    case .failed:
      let attempt = try await claimed(of: user)
      _ = try await store.fail(attempt, because: "broken", mayRetry: false)
      return attempt.mockupID
    case .completed, .approved, .rejected:
      let attempt = try await claimed(of: user)
      try await complete(attempt)
      if status == .approved { _ = try await store.approve(attempt.mockupID, of: user) }
      if status == .rejected {
        _ = try await store.reject(attempt.mockupID, of: user, because: "ugly")
      }
      return attempt.mockupID
    }
  }

  /// Returns the state and the credits of a mockup's reservation, such as `held 3`.
  func reservation(of mockup: UUID, _ user: UUID) async throws -> String {
    let id = try #require(try await store.mockup(mockup, of: user).reservationID)
    let reservation = try await ledger.store.reservation(id, of: user)
    return "\(reservation.state.rawValue) \(max(reservation.held, reservation.committed))"
  }
}

extension MockupAttempt {
  init(_ claimed: ClaimedMockup) {
    self.init(
      userID: claimed.mockup.userID, mockupID: claimed.mockup.id, number: claimed.mockup.attempt)
  }
}

extension Picture {
  static let any = Picture(fileURL: "https://files/1", fileKey: "1")
}

extension GenerationOutcome {
  /// The ids of the mockups that were made.
  var mockups: [UUID] {
    results.compactMap { result in
      if case .made(let mockup) = result.decision { mockup.id } else { nil }
    }
  }

  /// A short description of each pair's result.
  var summaries: [String] {
    results.map { result in
      switch result.decision {
      case .made(let mockup): mockup.status?.rawValue ?? "deleted"
      case .failed(let failure): failure.rawValue
      }
    }
  }
}

/// Runs a call, and returns a description of its value or of its error.
func answer<Value>(_ body: () async throws -> Value) async throws -> String {
  do {
    return "\(try await body())"
  } catch let error as MockupError {
    return error.summary
  }
}

extension MockupError {
  /// A short description, for tables of expected results.
  var summary: String {
    switch self {
    case .unknownUser: "unknown user"
    case .unknownMockup: "unknown mockup"
    case .unknownQuote: "unknown quote"
    case .conflict(let field): "conflict in \(field)"
    case .wrongStatus(let status, let wanted): "\(status) does not become \(wanted)"
    case .lostLease(let attempt): "lost to attempt \(attempt)"
    case .invalidMetadata: "invalid metadata"
    case .reservationNotOpen(let state): "reservation \(state)"
    case .exceedsHeld: "exceeds held"
    case .exceedsMaximum: "exceeds the maximum"
    case .insufficient(let usage): "insufficient, \(usage.available) available"
    case .database(let error): "database \(error)"
    }
  }
}
