import FoundationEssentials
import MockupCore
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@testable import MockupDatabase

/// The reports of workers that are written in one batch.
@Suite(.timeLimit(.minutes(15))) struct AttemptEndTests {
  /// A report about one of a set's mockups.
  private struct Report {
    var mockup: Int
    /// The difference of the reported attempt from the current one.
    var attemptOffset: Int32
    var result: AttemptEnd.Result
  }

  /// The users and mockups of one of two sets, which are alike.
  private struct Twin {
    var users: [UUID]
    var mockups: [(userID: UUID, id: UUID)] = []
  }

  private static let mockupsPerUser = 4

  private static let outcomes = [
    "completed", "completed again", "failed", "failed again", "lost", "wrong_state", "not_found",
    "invalid_metadata", "exceeds_held", "insufficient", "conflicting_file_key again",
    "conflicting_error_message again",
  ]

  /// Two sets get the same random reports, one in batches and the other one by one, until each
  /// outcome has been met.
  @Test func `a batch has the answers and effects of its reports one by one`() async throws {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    var outcomes: [String: Int] = [:]
    var rounds = 0
    while rounds < 6 || Self.outcomes.contains(where: { outcomes[$0] == nil }) {
      rounds += 1
      try #require(rounds < 100, "not all outcomes are met: \(outcomes)")
      // Reservations and leases expire, and the year ends.
      try await WorkerFixture.with(at: "2026-12-31T23:59:50Z") { fixture in
        var twins: [Twin] = []
        for _ in 0..<2 { twins.append(try await Self.makeTwin(fixture)) }
        for batch in 0..<6 {
          _ = try await fixture.claim(100, lease: Int.random(in: 3...30, using: &random))
          let reports = Self.reports(ofCompletions: batch.isMultiple(of: 2), &random)
          let together = try await Self.answers(to: reports, of: twins[0], fixture, inBatches: true)
          let apart = try await Self.answers(to: reports, of: twins[1], fixture, inBatches: false)
          #expect(together == apart)
          let statesTogether = try await Self.states(of: twins[0], fixture)
          #expect(try await Self.states(of: twins[1], fixture) == statesTogether)
          for answer in apart { outcomes[answer.outcome, default: 0] += 1 }
          fixture.ledger.clock.advance(by: 4)
        }
      }
    }
  }

  private static func makeTwin(_ fixture: WorkerFixture) async throws -> Twin {
    var twin = Twin(users: [])
    for _ in 0..<3 { twin.users.append(try await fixture.ledger.user(budget: 20)) }
    for user in twin.users {
      for _ in 0..<mockupsPerUser {
        twin.mockups.append((user, try await fixture.pending(of: user, credits: 3, seconds: 15)))
      }
    }
    return twin
  }

  private static func reports(
    ofCompletions: Bool, _ random: inout SeededGenerator
  ) -> [Report] {
    var reports: [Report] = []
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let earlier = reports.randomElement(using: &random)
      if let earlier, Int.random(in: 0..<4, using: &random) == 0 {
        reports.append(earlier)
        continue
      }
      let result: AttemptEnd.Result
      if ofCompletions {
        let picture = Picture(
          fileURL: "https://files/1",
          fileKey: Int.random(in: 0..<5, using: &random) == 0 ? "2" : "1",
          metadata: Int.random(in: 0..<10, using: &random) == 0 ? "[]" : #"{"a": 1}"#)
        result = .completed(
          picture, credits: [nil, 0, 2, 4, 19].randomElement(using: &random) ?? nil,
          allowsOverrun: Bool.random(using: &random))
      } else {
        result = .failed(
          reason: Int.random(in: 0..<5, using: &random) == 0 ? "lost" : "broken",
          mayRetry: Bool.random(using: &random),
          mayBeCharged: Int.random(in: 0..<3, using: &random) == 0)
      }
      reports.append(
        Report(
          // One more than there are: an unknown mockup.
          mockup: Int.random(in: 0...(3 * mockupsPerUser), using: &random),
          attemptOffset: Int.random(in: 0..<8, using: &random) == 0 ? -1 : 0, result: result))
    }
    return reports
  }

  private struct Answer: Equatable {
    var outcome: String
    var mockup: String
    var reservation: String?
    var usage: Usage?

    init(_ row: MockupRow) {
      outcome = row.outcome + (row.isReplayed ? " again" : "")
      let (mockup, picture) = (row.mockup, row.mockup?.picture)
      self.mockup =
        "\(String(describing: mockup?.status)) \(String(describing: mockup?.attempt)) "
        + "\(String(describing: mockup?.creditsUsed)) \(String(describing: picture?.fileKey)) "
        + "\(String(describing: mockup?.errorMessage))"
      reservation = row.reservationState
      usage = row.usage
    }
  }

  private static func answers(
    to reports: [Report], of twin: Twin, _ fixture: WorkerFixture, inBatches: Bool
  ) async throws -> [Answer] {
    var ends: [AttemptEnd] = []
    for report in reports {
      guard report.mockup < twin.mockups.count else {
        let attempt = MockupAttempt(userID: twin.users[0], mockupID: UUID(), number: 1)
        ends.append(AttemptEnd(attempt: attempt, result: report.result))
        continue
      }
      let (userID, id) = twin.mockups[report.mockup]
      let current = try await fixture.store.mockup(id, of: userID).attempt
      let attempt = MockupAttempt(
        userID: userID, mockupID: id, number: current + report.attemptOffset)
      ends.append(AttemptEnd(attempt: attempt, result: report.result))
    }
    let now = fixture.ledger.clock.now
    return try await fixture.ledger.database.withPool { pool in
      var rows: [MockupRow] = []
      for batch in inBatches ? [ends] : ends.map({ [$0] }) {
        let (statement, parameters) = try #require(
          AttemptEnd.statement(of: batch, now: now) { UUID() })
        let answers = try await pool.query(
          statement, parameters
        ) { row throws(PostgresError) in try MockupRow(changing: row) }
        #expect(answers.count == batch.count)
        rows += answers
      }
      return rows.map(Answer.init)
    }
  }

  /// Returns the states of a twin's mockups, their reservations and credits.
  private static func states(of twin: Twin, _ fixture: WorkerFixture) async throws -> [String] {
    var states: [String] = []
    for (userID, id) in twin.mockups {
      let mockup = try await fixture.store.mockup(id, of: userID)
      states.append(
        "\(mockup.status) \(mockup.attempt) \(mockup.creditsUsed) \(mockup.picture.fileKey) "
          + "\(mockup.errorMessage ?? "-") \(try await fixture.reservation(of: id, userID))")
    }
    for user in twin.users {
      states.append("\(try await fixture.ledger.store.usage(of: user))")
      states += try await fixture.ledger.entries(of: user).map(\.credits.description).sorted()
    }
    return states
  }

  /// Records the sizes of batches.
  private final class Sizes: ChangeObserver {
    let values = NIOLockedValueBox<[Int]>([])

    func batchWasSent(of queue: WriteQueue, size: Int, wait: Duration) {
      if queue == .mockups { values.withLockedValue { $0.append(size) } }
    }

    func batchEnded(of queue: WriteQueue, after time: Duration) {}

    func changeWasAnswered(_ kind: ChangeKind, _ result: ChangeResult) {}
  }

  @Test func `completions that arrive together share a transaction`() async throws {
    try await WorkerFixture.with { fixture in
      let ledger = fixture.ledger
      let user = try await ledger.user(budget: 100)
      var attempts: [MockupAttempt] = []
      for _ in 0..<9 { attempts.append(try await fixture.claimed(of: user)) }
      let (sizes, clock) = (Sizes(), ledger.clock)
      try await ledger.database.withPool { pool in
        let store = MockupStore(pool: pool, now: { clock.now }, observer: sizes)
        @Sendable func complete(_ attempt: MockupAttempt) async throws -> MockupOutcome {
          try await store.complete(attempt, with: .any, credits: nil, allowsOverrun: false)
        }
        let tasks = try await ledger.withLocks(
          "SELECT FROM mockupd.credit_counters WHERE user_id = '\(user)' FOR UPDATE"
        ) {
          let first = attempts[0]
          var tasks = [Task { try await complete(first) }]
          try await eventually("a batch is in flight") {
            sizes.values.withLockedValue { $0 } == [1]
          }
          for attempt in attempts.dropFirst() { tasks.append(Task { try await complete(attempt) }) }
          try await eventually("the other completions wait") {
            store.waitingReports == [attempts.count - 1]
          }
          return tasks
        }
        for task in tasks {
          let outcome = try await task.value
          #expect(outcome.mockup.status == .completed && !outcome.isReplayed)
        }
      }
      #expect(sizes.values.withLockedValue { $0 } == [1, attempts.count - 1])
      #expect(try await ledger.store.usage(of: user).used == 9)
    }
  }
}
