import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

@Suite struct PerformanceTests {
  private struct World {
    let books: Books
    let performance: PerformanceStore
    let user: UUID

    static func with(_ body: (World) async throws -> Void) async throws {
      try await Books.with { books in
        try await books.database.withPool { pool in
          let clock = books.clock
          let performance = PerformanceStore(pool: pool, now: { clock.now })
          try await body(
            World(books: books, performance: performance, user: try await books.user()))
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
      try await books.lines(
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

  @Test func entriesOfOneMockupAddUp() async throws {
    try await World.with { world in
      let (a, b) = (
        try await world.books.mockup(of: world.user), try await world.books.mockup(of: world.user)
      )
      let answers = try await world.performance.record([
        PerformanceBatch(
          id: UUID(),
          entries: [
            world.entry(a, pins: 1, impressions: 10), world.entry(b, pins: 5),
            world.entry(a, pins: 2, impressions: 20),
          ]),
        PerformanceBatch(id: UUID(), entries: [world.entry(a, impressions: 300)]),
        PerformanceBatch(id: UUID(), entries: []),
      ])
      #expect(answers == [counted(3), counted(1), counted(0)])
      #expect(try await world.totals(a) == ["3 330"])
      #expect(try await world.totals(b) == ["5 0"])
    }
  }

  @Test func aBatchCountsOnce() async throws {
    try await World.with { world in
      let mockup = try await world.books.mockup(of: world.user)
      let id = UUID()
      let entries = [world.entry(mockup, pins: 1), world.entry(UUID(), pins: 1)]
      let refused: [(Int32, PerformanceRefusal)] = [(1, .unknownMockup)]
      #expect(try await world.record(entries, id: id) == counted(1, refused: refused))
      for _ in 0..<3 {
        #expect(
          try await world.record(entries, id: id) == counted(1, refused: refused, replayed: true))
      }
      #expect(try await world.record(Array(entries.reversed()), id: id) == .conflictingEntries)
      #expect(try await world.record([], id: id) == .conflictingEntries)
      // Beside new ones, too.
      let answers = try await world.performance.record([
        PerformanceBatch(id: UUID(), entries: [world.entry(mockup, pins: 10)]),
        PerformanceBatch(id: id, entries: entries),
        PerformanceBatch(id: UUID(), entries: [world.entry(mockup, pins: 100)]),
      ])
      #expect(answers == [counted(1), counted(1, refused: refused, replayed: true), counted(1)])
      #expect(try await world.totals(mockup) == ["111 0"])
    }
  }

  @Test func whatCannotBeCountedIsRefusedByItself() async throws {
    try await World.with { world in
      let mockup = try await world.books.mockup(of: world.user)
      let other = try await world.books.user()
      let others = try await world.books.mockup(of: other)
      let answer = try await world.record([
        world.entry(mockup, pins: -1), world.entry(mockup, pins: 1, impressions: -1),
        world.entry(UUID(), pins: 1), world.entry(others, pins: 1),
        world.entry(mockup, pins: 1, of: other), world.entry(mockup, pins: 2),
        PerformanceEntry(userID: nil, mockupID: mockup, pins: 1, impressions: 0),
        PerformanceEntry(userID: world.user, mockupID: nil, pins: 1, impressions: 0),
        world.entry(others, pins: 4, of: other),
      ])
      #expect(
        answer
          == counted(
            2,
            refused: [
              (0, .negative), (1, .negative), (2, .unknownMockup), (3, .unknownMockup),
              (4, .unknownMockup), (6, .unknownMockup), (7, .unknownMockup),
            ]))
      #expect(try await world.totals(mockup) == ["2 0"])
      #expect(try await world.totals(others) == ["4 0"])
    }
  }

  @Test func countersNeverWrap() async throws {
    try await World.with { world in
      let mockup = try await world.books.mockup(of: world.user)
      try await world.books.run(
        "UPDATE mockups SET total_pins = \(Int32.max - 10), total_impressions = 5")
      let answers = try await world.performance.record([
        PerformanceBatch(
          id: UUID(),
          entries: [
            world.entry(mockup, pins: 11), world.entry(mockup, pins: 6, impressions: 1),
            world.entry(mockup, pins: 5), world.entry(mockup, impressions: .max),
          ]),
        PerformanceBatch(
          id: UUID(), entries: [world.entry(mockup, pins: 4), world.entry(mockup, pins: .max)]),
      ])
      #expect(
        answers == [
          counted(1, refused: [(0, .counterFull), (2, .counterFull), (3, .counterFull)]),
          counted(1, refused: [(1, .counterFull)]),
        ])
      #expect(try await world.totals(mockup) == ["\(Int32.max) 6"])
    }
  }

  @Test func aBatchSentFromManySidesAtOnceCountsOnce() async throws {
    try await World.with { world in
      var mockups: [UUID] = []
      for _ in 0..<20 { mockups.append(try await world.books.mockup(of: world.user)) }
      let batches = (0..<8).map { _ in
        PerformanceBatch(id: UUID(), entries: mockups.shuffled().map { world.entry($0, pins: 1) })
      }
      let answers = try await withThrowingTaskGroup(of: [PerformanceStore.Answer].self) { group in
        for _ in 0..<10 {
          group.addTask { try await world.performance.record(batches.shuffled()) }
        }
        return try await group.reduce([], +)
      }
      #expect(answers.filter { $0 == counted(20) }.count == 8)
      #expect(answers.filter { $0 == counted(20, replayed: true) }.count == 72)
      for mockup in mockups { #expect(try await world.totals(mockup) == ["8 0"]) }
    }
  }
}
