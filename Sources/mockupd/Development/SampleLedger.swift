internal import Foundation
internal import MockupCore
internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import Postgres

/// A year of credits, reservations and mockups of four users, for trying things out.
///
/// The functions of the engine make all of it, in the order of time and with a clock that is moved
/// from event to event. The same seed makes the same users, and on the same day the same ledger.
final class SampleLedger: Sendable {
  private static let seed: UInt64 = 15
  private static let days = 365

  /// A user of the sample.
  struct User: Sendable {
    let email: String
    let annualBudget: Int32
    let monthlySoftLimit: Int32
    /// The average number of jobs on a working day.
    let jobsPerDay: Double
    let credits: ClosedRange<Int32>
    /// The number of days before the end at which the user's first job is possible.
    let daysBeforeEnd: Int
    let id: UUID
    let assets: [UUID]
  }

  /// A reservation whose outcome is unknown.
  struct Stuck: Sendable {
    let userID: UUID
    let reservationID: UUID
    let credits: Int32
  }

  let users: [User]
  private let owner: Pool
  private let credits: CreditStore
  private let mockups: MockupStore
  private let performance: PerformanceStore
  private let admin: AdminStore
  private let sweeper: SweepStore
  private let end: Date
  private let clock: NIOLockedValueBox<Date>
  private let random: NIOLockedValueBox<SampleGenerator>

  /// Creates the sample.
  ///
  /// - Parameters:
  ///   - pool: Connections as the login of the server.
  ///   - owner: Connections as the owner of the database, who creates users.
  ///   - end: The end of the year, which is the current time.
  init(pool: Pool, owner: Pool, end: Date) {
    let clock = NIOLockedValueBox(end.addingTimeInterval(-Double(Self.days) * Self.day))
    let random = NIOLockedValueBox(SampleGenerator(seed: Self.seed))
    let now: @Sendable () -> Date = { clock.withLockedValue(\.self) }
    let makeID: @Sendable () -> UUID = { random.withLockedValue { $0.uuid() } }
    credits = CreditStore(pool: pool, now: now, makeID: makeID)
    mockups = MockupStore(pool: pool, now: now, makeID: makeID)
    performance = PerformanceStore(pool: pool)
    admin = AdminStore(pool: pool, now: now, makeID: makeID)
    sweeper = SweepStore(pool: pool, now: now)
    self.owner = owner
    self.end = end
    self.clock = clock
    self.random = random
    func user(
      _ name: String, _ annualBudget: Int32, _ monthlySoftLimit: Int32, jobsPerDay: Double,
      credits: ClosedRange<Int32>, daysBeforeEnd: Int = SampleLedger.days
    ) -> User {
      User(
        email: "\(name)@example.com", annualBudget: annualBudget,
        monthlySoftLimit: monthlySoftLimit, jobsPerDay: jobsPerDay, credits: credits,
        daysBeforeEnd: daysBeforeEnd, id: makeID(), assets: [makeID(), makeID()])
    }
    users = [
      user("ada", 3500, 292, jobsPerDay: 1.5, credits: 2...12),
      user("ben", 1200, 100, jobsPerDay: 1.2, credits: 1...6),
      user("cleo", 2000, 200, jobsPerDay: 0.5, credits: 4...20),
      user("dan", 400, 100, jobsPerDay: 0.8, credits: 1...4, daysBeforeEnd: 25),
    ]
  }

  /// Makes the year, and returns the reservation whose outcome is unknown.
  func make() async throws -> Stuck {
    try await makeUsers()
    try await makeYear()
    let stuck = try await leaveStuck()
    try await makeToday()
    try await sweep()
    return stuck
  }

  // The attributes of this function and of sweep() keep them out of make(): the optimizer of Swift
  // 6.3.1 crashes ("While splitting coroutine") when it has inlined both.
  @inline(never)
  private func makeYear() async throws {
    for day in stride(from: Self.days - 1, through: 2, by: -1) {
      try Task.checkCancellation()
      try await makeDay(end.addingTimeInterval(-Double(day) * Self.day), daysBeforeEnd: day)
      if day <= 21, day % 3 == 0 { try await makePictures(pending: false) }
    }
  }

  @inline(never)
  private func sweep() async throws {
    advance(to: end)
    _ = try await sweeper.sweepReservations(limit: 1000)
  }

  // MARK: - Time and chance

  private static let day: Double = 86_400

  private func advance(to date: Date) {
    clock.withLockedValue { $0 = max($0, date) }
  }

  private func advance(by seconds: Double) {
    clock.withLockedValue { $0 += seconds }
  }

  private func chance<Value>(_ body: (inout SampleGenerator) -> Value) -> Value {
    random.withLockedValue { body(&$0) }
  }

  // MARK: - Users

  private func makeUsers() async throws {
    for user in users {
      let rows = try await owner.query(
        """
        WITH made AS (INSERT INTO auth.users (id, email) VALUES ($1, $2) RETURNING id)
        INSERT INTO public.user_settings (user_id) SELECT id FROM made RETURNING true
        """, Parameters(user.id, user.email)
      ) { row throws(PostgresError) in try row.decode(Bool.self, at: 0) }
      precondition(rows == [true], "a user was not made")
      for asset in user.assets {
        _ = try await owner.query(
          "INSERT INTO public.assets (id, user_id) VALUES ($1, $2) RETURNING true",
          Parameters(asset, user.id)
        ) { row throws(PostgresError) in try row.decode(Bool.self, at: 0) }
      }
      _ = try await admin.setBudget(
        of: user.id, annualBudget: user.annualBudget, monthlySoftLimit: user.monthlySoftLimit,
        changedBy: "mockupd dev")
    }
  }

  // MARK: - A day

  private enum Fate: Sendable { case whole, part, nothing, forgotten }

  private struct Job: Sendable {
    let request: ReservationRequest
    let fate: Fate
  }

  /// Reserves, dispatches and settles the jobs of a day, all at the same hour.
  private func makeDay(_ day: Date, daysBeforeEnd: Int) async throws {
    let weekday = Int(day.timeIntervalSince1970 / Self.day + 4) % 7
    let share = weekday == 0 || weekday == 6 ? 0.1 : 1
    advance(to: day.addingTimeInterval(chance { .random(in: 0...(10 * 3600), using: &$0) }))
    var jobs: [Job] = []
    for user in users where daysBeforeEnd < user.daysBeforeEnd {
      let most = user.jobsPerDay * share * 2
      let count = Int(chance { Double.random(in: 0..<(most + 1), using: &$0) })
      for _ in 0..<count { jobs.append(makeJob(of: user)) }
    }
    guard !jobs.isEmpty else { return }

    let outcomes = try await credits.reserve(jobs.map(\.request))
    var admitted: [Job] = []
    for (job, outcome) in zip(jobs, outcomes) where job.fate != .forgotten {
      if case .success(let outcome) = outcome, outcome.admission.isAdmitted { admitted.append(job) }
    }
    advance(by: 2)
    _ = try await credits.settle(
      admitted.map { job in
        Settlement(
          userID: job.request.userID, reservationID: job.request.id, action: .dispatch())
      })
    advance(by: chance { .random(in: 20...400, using: &$0) })
    _ = try await credits.settle(admitted.map(settlement))
    if chance({ Int.random(in: 0..<20, using: &$0) }) == 0, let job = admitted.first {
      try await refundLastCharge(of: job.request.userID)
    }
  }

  private func makeJob(of user: User) -> Job {
    let (id, credits, kind) = chance { random in
      (
        random.uuid(), Int32.random(in: user.credits, using: &random),
        Int.random(in: 0..<100, using: &random)
      )
    }
    let fate: Fate =
      switch kind {
      case 0..<84: .whole
      case 84..<92: .part
      case 92..<97: .nothing
      default: .forgotten
      }
    let request = Self.request(
      id, of: user, credits: credits, operation: kind % 8 == 0 ? .regeneration : .generation)
    return Job(request: request, fate: fate)
  }

  // The values of the requests are in this file, so that an invalid one is a defect.

  private static func request(
    _ id: UUID, of user: User, credits: Int32, operation: MockupCore.Operation = .generation,
    timeToLive: Duration = ReservationRequest.defaultTimeToLive
  ) -> ReservationRequest {
    do {
      return try ReservationRequest(
        userID: user.id, id: id, credits: credits, operation: operation, timeToLive: timeToLive)
    } catch {
      preconditionFailure("the sample has an invalid reservation: \(error)")
    }
  }

  private static func request(_ id: UUID, of user: User, asset: UUID) -> GenerationRequest {
    do {
      return try GenerationRequest(
        userID: user.id, id: id, assetIDs: [asset],
        scenes: ["bedroom", "reading_nook", "home_office"], cost: MockupCost())
    } catch {
      preconditionFailure("the sample has an invalid request for mockups: \(error)")
    }
  }

  private func settlement(of job: Job) -> Settlement {
    let action: Settlement.Action =
      switch job.fate {
      case .whole, .forgotten: .commit(id: job.request.id, credits: nil)
      case .part: .commit(id: job.request.id, credits: job.request.credits / 2)
      case .nothing: .release
      }
    return Settlement(userID: job.request.userID, reservationID: job.request.id, action: action)
  }

  private func refundLastCharge(of userID: UUID) async throws {
    advance(by: 900)
    let entries = try await credits.entries(of: userID, after: nil, count: 5).rows
    guard let charge = entries.first(where: { $0.operation == .generation }) else { return }
    _ = try await credits.refund([
      Refund(userID: userID, id: chance { $0.uuid() }, entryID: charge.id, credits: 1)
    ])
  }

  // MARK: - Mockups

  /// Requests mockups of two users, and completes them unless they stay pending.
  private func makePictures(pending: Bool) async throws {
    for user in [users[0], users[3]] {
      _ = try await mockups.generate(
        Self.request(
          chance { $0.uuid() }, of: user,
          asset: user.assets[chance { Int.random(in: 0..<2, using: &$0) }]))
    }
    advance(by: 30)
    // One of the pending mockups is being rendered.
    let claimed = try await mockups.claim(
      worker: "renderer-1", count: pending ? 1 : 10, lease: .seconds(3600))
    guard !pending else { return }
    advance(by: 60)
    for claim in claimed { try await finish(claim.mockup) }
  }

  private func finish(_ mockup: Mockup) async throws {
    let attempt = MockupAttempt(
      userID: mockup.userID, mockupID: mockup.id, number: mockup.attempt)
    let kind = chance { Int.random(in: 0..<10, using: &$0) }
    guard kind > 0 else {
      _ = try await mockups.fail(
        attempt, because: "the vendor has no such template", mayRetry: false)
      return
    }
    let file = "\(mockup.id.uuidString.lowercased()).png"
    let quality = chance { Double.random(in: 0.6...1, using: &$0) }
    _ = try await mockups.complete(
      attempt,
      with: Picture(
        fileURL: "https://files.example.com/\(file)", fileKey: file,
        thumbnailURL: "https://files.example.com/thumbnails/\(file)",
        qualityScore: (quality * 100).rounded() / 100),
      credits: nil, allowsOverrun: false)
    switch kind {
    case 1: break
    case 2: _ = try await mockups.reject(mockup.id, of: mockup.userID, because: "too dark")
    default:
      _ = try await mockups.approve(mockup.id, of: mockup.userID)
      let (id, pins) = chance { random in (random.uuid(), Int32.random(in: 0...9, using: &random)) }
      _ = try await performance.record(
        PerformanceBatch(
          id: id,
          entries: [
            PerformanceEntry(
              userID: mockup.userID, mockupID: mockup.id, pins: pins, impressions: pins * 37)
          ]))
    }
  }

  // MARK: - The last day

  /// Dispatches a reservation, a day before the end, that is never settled.
  private func leaveStuck() async throws -> Stuck {
    let user = users[1]
    let request = Self.request(chance { $0.uuid() }, of: user, credits: 5)
    advance(to: end.addingTimeInterval(-26 * 3600))
    // The user may have no credits left.
    let used = try await credits.usage(of: user.id)
    if used.available < 40 { try await setBudget(of: user, to: used.used + used.held + 40) }
    _ = try await credits.reserve([request])
    _ = try await credits.settle([
      Settlement(userID: user.id, reservationID: request.id, action: .dispatch())
    ])
    return Stuck(userID: user.id, reservationID: request.id, credits: request.credits)
  }

  /// Leaves holds and pending mockups, and users who are near a limit.
  private func makeToday() async throws {
    advance(to: end.addingTimeInterval(-1800))
    let holds = [(users[0], 12), (users[0], 3), (users[2], 90)].map { user, credits in
      Self.request(
        chance { $0.uuid() }, of: user, credits: Int32(credits), timeToLive: .seconds(6 * 3600))
    }
    _ = try await credits.reserve(holds)
    _ = try await credits.settle([
      Settlement(userID: holds[1].userID, reservationID: holds[1].id, action: .dispatch())
    ])
    try await makePictures(pending: true)
    // One user has almost no credits left, and another has passed the soft limit.
    let used = try await credits.usage(of: users[1].id)
    try await setBudget(of: users[1], to: used.used + used.held + 12)
    let month = try await credits.usage(of: users[2].id)
    if !month.softLimitIsPassed {
      try await setBudget(of: users[2], softLimit: month.monthlyUsed + month.monthlyHeld - 30)
    }
  }

  private func setBudget(
    of user: User, to credits: Int64? = nil, softLimit: Int64? = nil
  ) async throws {
    _ = try await admin.setBudget(
      of: user.id, annualBudget: credits.map { Int32(clamping: $0) },
      monthlySoftLimit: softLimit.map { Int32(clamping: $0) }, changedBy: "mockupd dev")
  }
}
