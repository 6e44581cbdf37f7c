import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct PerformanceTests {
  private struct Fixture {
    let ledger: LedgerFixture
    let performance: PerformanceStore
    let user: UUID

    static func with(_ body: (Fixture) async throws -> Void) async throws {
      try await LedgerFixture.with { ledger in
        try await ledger.database.withPool { pool in
          let clock = ledger.clock
          let performance = PerformanceStore(pool: pool, now: { clock.now })
          try await body(
            Fixture(ledger: ledger, performance: performance, user: try await ledger.user()))
        }
      }
    }

    func entry(
      _ mockup: UUID, pins: Int32 = 0, impressions: Int32 = 0, of user: UUID? = nil
    ) -> PerformanceEntry {
      PerformanceEntry(
        userID: user ?? self.user, mockupID: mockup, pins: pins, impressions: impressions)
    }

    func record(
      _ entries: [PerformanceEntry], id: UUID = UUID()
    ) async throws -> PerformanceStore.Answer? {
      try await performance.record([PerformanceBatch(id: id, entries: entries)]).first
    }

    func totals(_ mockup: UUID) async throws -> [String] {
      try await ledger.lines(
        "SELECT total_pins || ' ' || total_impressions FROM mockups WHERE id = '\(mockup)'")
    }
  }

  private func counted(
    _ count: Int32, refused: [(Int32, PerformanceRefusal)] = [], replayed: Bool = false
  ) -> PerformanceStore.Answer {
    .recorded(
      PerformanceOutcome(
        counted: count, refused: refused.map { .init(index: $0, reason: $1) },
        isReplayed: replayed))
  }

  @Test func `a batch with a locked mockup waits for the lock, and no other batch does`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      let locked = try await ledger.mockup(of: user)
      let mockup = try await ledger.mockup(of: user)
      let configure = { (configuration: inout PostgresConfiguration) in
        // A hundred attempts take longer than the test holds the lock.
        configuration.lockTimeout = .seconds(1)
      }
      try await ledger.database.withPool(configure) { pool in
        let store = PerformanceStore(pool: pool, now: { ledger.clock.now })
        @Sendable func record(_ mockup: UUID) async throws -> PerformanceStore.Answer {
          try await store.record(
            PerformanceBatch(
              id: UUID(),
              entries: [
                PerformanceEntry(userID: user, mockupID: mockup, pins: 1, impressions: 0)
              ]))
        }
        let lock = "SELECT FROM mockups WHERE id = '\(locked)' FOR UPDATE"
        let waiting = try await ledger.withLocks(lock) {
          let first = Task { try await record(locked) }
          // The first of these may share the group of the locked one.
          for _ in 0..<5 {
            let answer = try await record(mockup)
            #expect(answer == counted(1))
          }
          let second = Task { try await record(locked) }
          try await eventually("the second batch waits behind the first") {
            store.waitingBatches == 1
          }
          return [first, second]
        }
        for task in waiting { #expect(try await task.value == counted(1)) }
      }
    }
  }

  @Test func `entries of one mockup add up`() async throws {
    try await Fixture.with { fixture in
      let (a, b) = (
        try await fixture.ledger.mockup(of: fixture.user),
        try await fixture.ledger.mockup(of: fixture.user)
      )
      let answers = try await fixture.performance.record([
        PerformanceBatch(
          id: UUID(),
          entries: [
            fixture.entry(a, pins: 1, impressions: 10), fixture.entry(b, pins: 5),
            fixture.entry(a, pins: 2, impressions: 20),
          ]),
        PerformanceBatch(id: UUID(), entries: [fixture.entry(a, impressions: 300)]),
        PerformanceBatch(id: UUID(), entries: []),
      ])
      #expect(answers == [counted(3), counted(1), counted(0)])
      #expect(try await fixture.totals(a) == ["3 330"])
      #expect(try await fixture.totals(b) == ["5 0"])
    }
  }

  @Test func `a retried batch counts once`() async throws {
    try await Fixture.with { fixture in
      let mockup = try await fixture.ledger.mockup(of: fixture.user)
      let id = UUID()
      let entries = [fixture.entry(mockup, pins: 1), fixture.entry(UUID(), pins: 1)]
      let refused: [(Int32, PerformanceRefusal)] = [(1, .unknownMockup)]
      #expect(try await fixture.record(entries, id: id) == counted(1, refused: refused))
      for _ in 0..<3 {
        #expect(
          try await fixture.record(entries, id: id) == counted(1, refused: refused, replayed: true))
      }
      #expect(try await fixture.record(Array(entries.reversed()), id: id) == .conflictingEntries)
      // Without entries, no user tells to which partition a batch belongs.
      if MigratedDatabase.partitionCount == 1 {
        #expect(try await fixture.record([], id: id) == .conflictingEntries)
      }
      // The retried batch is replayed among new batches too.
      let answers = try await fixture.performance.record([
        PerformanceBatch(id: UUID(), entries: [fixture.entry(mockup, pins: 10)]),
        PerformanceBatch(id: id, entries: entries),
        PerformanceBatch(id: UUID(), entries: [fixture.entry(mockup, pins: 100)]),
      ])
      #expect(answers == [counted(1), counted(1, refused: refused, replayed: true), counted(1)])
      #expect(try await fixture.totals(mockup) == ["111 0"])
    }
  }

  @Test func `an invalid entry is refused alone`() async throws {
    try await Fixture.with { fixture in
      let mockup = try await fixture.ledger.mockup(of: fixture.user)
      let other = try await fixture.ledger.user()
      let others = try await fixture.ledger.mockup(of: other)
      let answer = try await fixture.record([
        fixture.entry(mockup, pins: -1), fixture.entry(mockup, pins: 1, impressions: -1),
        fixture.entry(UUID(), pins: 1), fixture.entry(others, pins: 1),
        fixture.entry(mockup, pins: 1, of: other), fixture.entry(mockup, pins: 2),
        PerformanceEntry(userID: nil, mockupID: mockup, pins: 1, impressions: 0),
        PerformanceEntry(userID: fixture.user, mockupID: nil, pins: 1, impressions: 0),
        fixture.entry(others, pins: 4, of: other),
      ])
      #expect(
        answer
          == counted(
            2,
            refused: [
              (0, .negative), (1, .negative), (2, .unknownMockup), (3, .unknownMockup),
              (4, .unknownMockup), (6, .unknownMockup), (7, .unknownMockup),
            ]))
      #expect(try await fixture.totals(mockup) == ["2 0"])
      #expect(try await fixture.totals(others) == ["4 0"])
    }
  }

  @Test func `counters never overflow`() async throws {
    try await Fixture.with { fixture in
      let mockup = try await fixture.ledger.mockup(of: fixture.user)
      try await fixture.ledger.run(
        "UPDATE mockups SET total_pins = \(Int32.max - 10), total_impressions = 5")
      let answers = try await fixture.performance.record([
        PerformanceBatch(
          id: UUID(),
          entries: [
            fixture.entry(mockup, pins: 11), fixture.entry(mockup, pins: 6, impressions: 1),
            fixture.entry(mockup, pins: 5), fixture.entry(mockup, impressions: .max),
          ]),
        PerformanceBatch(
          id: UUID(), entries: [fixture.entry(mockup, pins: 4), fixture.entry(mockup, pins: .max)]),
      ])
      #expect(
        answers == [
          counted(1, refused: [(0, .counterFull), (2, .counterFull), (3, .counterFull)]),
          counted(1, refused: [(1, .counterFull)]),
        ])
      #expect(try await fixture.totals(mockup) == ["\(Int32.max) 6"])
    }
  }

  @Test func `concurrent batches do not overflow a counter`() async throws {
    try await Fixture.with { fixture in
      var mockups: [UUID] = []
      for _ in 0..<10 { mockups.append(try await fixture.ledger.mockup(of: fixture.user)) }
      try await fixture.ledger.run("UPDATE mockups SET total_pins = \(Int32.max - 10)")
      let batches = (0..<20).map { _ in mockups.shuffled().map { fixture.entry($0, pins: 3) } }
      let answers = try await withThrowingTaskGroup(of: PerformanceStore.Answer?.self) { group in
        for batch in batches { group.addTask { try await fixture.record(batch) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      var counted: Int32 = 0
      for case .recorded(let outcome) in answers { counted += outcome.counted }
      #expect(counted == 30)
      for mockup in mockups { #expect(try await fixture.totals(mockup) == ["\(Int32.max - 1) 0"]) }
    }
  }

  @Test func `a batch sent concurrently by several clients counts once`() async throws {
    try await Fixture.with { fixture in
      var mockups: [UUID] = []
      for _ in 0..<20 { mockups.append(try await fixture.ledger.mockup(of: fixture.user)) }
      let batches = (0..<8).map { _ in
        PerformanceBatch(id: UUID(), entries: mockups.shuffled().map { fixture.entry($0, pins: 1) })
      }
      let answers = try await withThrowingTaskGroup(of: [PerformanceStore.Answer].self) { group in
        for _ in 0..<10 {
          group.addTask { try await fixture.performance.record(batches.shuffled()) }
        }
        return try await group.reduce([], +)
      }
      #expect(answers.filter { $0 == counted(20) }.count == 8)
      #expect(answers.filter { $0 == counted(20, replayed: true) }.count == 72)
      for mockup in mockups { #expect(try await fixture.totals(mockup) == ["8 0"]) }
    }
  }
}
