import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Each test blocks a call between its first and its last read, while another transaction commits.
///
/// The result must be that of some serial order of the two.
@Suite(.timeLimit(.minutes(5))) struct InterleavingTests {
  /// Starts a call while a transaction holds locks, and commits changes once the call is blocked.
  private func answer<Answer: Sendable>(
    in ledger: LedgerFixture, of call: @escaping @Sendable () async throws -> Answer,
    blockedBy locks: Statement, andThen changes: (Statement, Parameters)...
  ) async throws -> Answer {
    let result: Result<Task<Answer, any Error>, any Error> =
      try await ledger.owner.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute(locks)
        let task = Task { try await call() }
        do { try await ledger.waitForBlockedStatements(1) } catch { return .failure(error) }
        for (statement, parameters) in changes {
          try await transaction.execute(statement, parameters)
        }
        return .success(task)
      }
    return try await result.get().value
  }

  private static let counters: Statement = "SELECT FROM mockupd.credit_counters FOR NO KEY UPDATE"

  private func reserving(
    in ledger: LedgerFixture, _ requests: [(user: UUID, id: UUID, credits: Int32)],
    group: UUID? = nil
  ) -> (Statement, Parameters) {
    (
      "SELECT FROM mockupd.reserve($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      Parameters(
        ledger.clock.now, requests.map(\.user), requests.map(\.id), requests.map(\.credits),
        requests.map { _ in "generation" }, requests.map { _ in Int32(900) },
        requests.map { _ in UUID?.none }, requests.map { _ in group },
        requests.map { _ in "normal" })
    )
  }

  private func settling(
    in ledger: LedgerFixture, _ id: UUID, of user: UUID, _ action: String, entry: UUID? = nil
  ) -> (Statement, Parameters) {
    (
      "SELECT FROM mockupd.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      Parameters(
        ledger.clock.now, [user], [id], [action], [id], [Int32?.none], [true], [false],
        [Int32?.none], [entry])
    )
  }

  @Test func `a group release includes a reservation made while it waits`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, group) = (try await ledger.user(budget: 10), UUID())
      let first = try await ledger.reserve(3, for: user, group: group).reservation.id
      let second = UUID()
      let release = try await answer(
        in: ledger, of: { try await ledger.store.releaseGroup(group, of: user) },
        blockedBy: Self.counters,
        andThen: reserving(in: ledger, [(user, second, 5)], group: group))
      #expect(release.reservations == 2)
      #expect(release.credits == 8)
      #expect(release.usage.held == 0)
      for id in [first, second] {
        #expect(try await ledger.store.reservation(id, of: user).state == .released)
      }
    }
  }

  @Test func `a group release includes the first reservation of a group made while it waits`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      let (user, group) = (try await ledger.user(budget: 10), UUID())
      try await ledger.reserve(1, for: user)
      let release = try await answer(
        in: ledger, of: { try await ledger.store.releaseGroup(group, of: user) },
        blockedBy: Self.counters,
        andThen: reserving(in: ledger, [(user, UUID(), 5)], group: group))
      #expect(release.reservations == 1)
      #expect(release.usage.held == 1)
    }
  }

  @Test func `every item of a batch sees a reservation that any of its items counts`() async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let first = try await ledger.reserve(3, for: user).reservation.id
      let second = UUID()
      let batch = [
        Settlement(userID: user, reservationID: first, action: .release),
        Settlement(
          userID: user, reservationID: second,
          action: .commit(id: UUID(), credits: 1, isFinal: false)),
      ]
      let answers = try await answer(
        in: ledger, of: { try await ledger.store.settle(batch).map { summary(of: $0) } },
        blockedBy: Self.counters, andThen: reserving(in: ledger, [(user, second, 5)]))
      #expect(answers == ["released 0, 5 available", "held 1, 5 available"])
    }
  }

  @Test func `a batch sees another batch for all of its users or for none`() async throws {
    try await LedgerFixture.with { ledger in
      let (one, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let first = try await ledger.reserve(3, for: one).reservation.id
      let new = UUID()
      let batch = [
        Settlement(userID: one, reservationID: first, action: .release),
        Settlement(userID: other, reservationID: new, action: .release),
      ]
      // The batch locks the first user's counters before the second user has any.
      let answers = try await answer(
        in: ledger, of: { try await ledger.store.settle(batch).map { summary(of: $0) } },
        blockedBy: Self.counters,
        andThen: (
          """
          INSERT INTO mockupd.credit_counters (user_id, year) VALUES ($1, 2026)
          """, Parameters(other)
        ), reserving(in: ledger, [(one, UUID(), 2), (other, new, 4)]))
      #expect(answers == ["released 0, 8 available", "released 0, 10 available"])
    }
  }

  @Test func `a charge written while a refund waits is refunded under its lock`() async throws {
    try await LedgerFixture.with { ledger in
      // In locking order: the batch waits for the first user before it locks the second one.
      let users = (0..<2).map { _ in ledger.database.id() }
        .sorted { $0.uuidString < $1.uuidString }
      for user in users { _ = try await ledger.database.makeUser(user, annualBudget: 10) }
      let (one, other) = (users[0], users[1])
      try await ledger.spend(2, for: one)
      let charge = try #require(try await ledger.entries(of: one).first).id
      let reservation = try await ledger.reserve(4, for: other).reservation.id
      let new = UUID()
      let refunds = [charge, new].enumerated().map { index, entry in
        Refund(userID: index == 0 ? one : other, id: UUID(), entryID: entry, credits: nil)
      }
      let lock =
        "SELECT FROM mockupd.credit_counters WHERE user_id = '\(one)' FOR NO KEY UPDATE"
      // While the batch waits for the first user, the second user is charged, and a refund of that
      // charge is in flight. The batch must see both.
      let pending: Result<Task<[String], any Error>, any Error> =
        try await ledger.owner.withTransaction { refunding throws(PostgresError) in
          do {
            let task = try await ledger.withLocks(lock) {
              let task = Task { try await ledger.store.refund(refunds).map { summary(of: $0) } }
              try await ledger.waitForBlockedStatements(1)
              let charging = settling(in: ledger, reservation, of: other, "commit", entry: new)
              try await ledger.owner.execute(charging.0, charging.1)
              try await refunding.execute(
                "SELECT FROM mockupd.refund($1, $2, $3, $4, $5, $6)",
                Parameters(ledger.clock.now, [other], [UUID()], [new], [Int32(3)], [UUID()]))
              return task
            }
            try await ledger.waitForBlockedStatements(1)
            return .success(task)
          } catch {
            return .failure(error)
          }
        }
      let answers = try await pending.get().value
      #expect(answers == ["refunded 2, 10 available", "refunded 1, 10 available"])
    }
  }

  /// A resolution settles only an unresolved reservation.
  @Test func `a reservation made while it is being resolved stays unchanged`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let (user, id) = (try await ledger.user(budget: 10), UUID())
      try await ledger.reserve(1, for: user)
      let isAnswered = Flag()
      let task = try await ledger.withLocks("LOCK TABLE mockupd.commits IN ACCESS EXCLUSIVE MODE") {
        let task = Task {
          let resolution = Resolution(userID: user, reservationID: id, id: UUID(), credits: 1)
          defer { isAnswered.set() }
          return try await summary { try await admin.resolve(resolution) }
        }
        try await eventually("the call has returned or waits for a lock") {
          if isAnswered.isSet { return true }
          return try await ledger.hasBlockedStatement()
        }
        try await ledger.reserve(5, for: user, id: id)
        return task
      }
      let answer = try await task.value
      #expect(["unknown reservation", "not open but held"].contains(answer))
      #expect(try await ledger.store.reservation(id, of: user).state == .held)
    }
  }

  @Test func `a pair fails for lack of credits only if the result shows the lack`() async throws {
    try await WorkerFixture.with { fixture in
      let ledger = fixture.ledger
      let user = try await ledger.user(budget: 1)
      let asset = try await fixture.asset(of: user)
      let held = try await ledger.reserve(1, for: user).reservation.id
      let outcome = try await answer(
        in: ledger, of: { try await fixture.generate([asset], for: user) },
        blockedBy: Self.counters, andThen: settling(in: ledger, held, of: user, "release"))
      #expect(outcome.summaries == ["pending"])
      #expect(outcome.usage.held == 1)
    }
  }

  @Test func `a replayed generation shows mockups and usage from one snapshot`() async throws {
    try await WorkerFixture.with { fixture in
      let ledger = fixture.ledger
      let (user, id) = (try await ledger.user(budget: 1), UUID())
      let asset = try await fixture.asset(of: user)
      let mockup = try #require(
        try await fixture.generate([asset], for: user, id: id).mockups.first)
      _ = try await fixture.claim()
      let outcome = try await answer(
        in: ledger, of: { try await fixture.generate([asset], for: user, id: id) },
        blockedBy: "LOCK TABLE public.mockups IN ACCESS EXCLUSIVE MODE",
        andThen: (
          """
          SELECT FROM mockupd.complete_mockups(
            $1, ARRAY[$2], ARRAY[$3], ARRAY[1], '{https://files/1}', '{1}', '{NULL}', '{NULL}',
            '{NULL}', '{NULL}', '{NULL}', '{false}', ARRAY[gen_random_uuid()])
          """, Parameters(ledger.clock.now, user, mockup)
        ))
      #expect(outcome.summaries == ["completed"])
      #expect(outcome.usage.used == 1)
    }
  }

  @Test func `setting a budget reports a reservation that committed before it`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      try await ledger.reserve(1, for: user)
      let outcome = try await answer(
        in: ledger,
        of: {
          try await admin.setBudget(
            of: user, annualBudget: 4, monthlySoftLimit: nil, changedBy: "a test")
        },
        blockedBy: Self.counters, andThen: reserving(in: ledger, [(user, UUID(), 5)]))
      #expect(outcome.usage.available == -2)
      #expect(
        try await summary { try await ledger.reserve(1, for: user) } == "refused, -2 remaining")
    }
  }
}
