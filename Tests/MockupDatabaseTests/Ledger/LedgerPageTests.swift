import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct LedgerPageTests {
  /// Makes a user with charges of 1, 2, 3, … credits, so that the amounts identify the entries.
  private func spender(_ count: Int32, in ledger: LedgerFixture) async throws -> UUID {
    let user = try await ledger.user()
    for credits in 1...count { try await ledger.spend(credits, for: user) }
    return user
  }

  private func pages(
    of user: UUID, in ledger: LedgerFixture, count: Int32,
    afterEach: () async throws -> Void = {}
  ) async throws -> [[Int32]] {
    var pages: [[Int32]] = []
    var cursor: LedgerCursor?
    repeat {
      let page = try await ledger.store.entries(of: user, after: cursor, count: count)
      pages.append(page.rows.map(\.credits))
      cursor = page.next
      try await afterEach()
    } while cursor != nil && pages.count < 20
    return pages
  }

  @Test(
    arguments: [
      (1, [[5], [4], [3], [2], [1]]),
      (2, [[5, 4], [3, 2], [1]]),
      (4, [[5, 4, 3, 2], [1]]),
      (5, [[5, 4, 3, 2, 1]]),
      (6, [[5, 4, 3, 2, 1]]),
    ] as [(Int32, [[Int32]])])
  func `pages list the newest entries first and the last page has no cursor`(
    count: Int32, expected: [[Int32]]
  ) async throws {
    try await LedgerFixture.with { ledger in
      let user = try await spender(5, in: ledger)
      _ = try await spender(3, in: ledger)
      #expect(try await pages(of: user, in: ledger, count: count) == expected)
    }
  }

  @Test func `pages stay stable while entries are added`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await spender(5, in: ledger)
      let pages = try await pages(of: user, in: ledger, count: 2) {
        try await ledger.spend(100, for: user)
      }
      #expect(pages == [[5, 4], [3, 2], [1]])
    }
  }

  @Test func `pages continue across the turn of the year`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T23:59:59Z") { ledger in
      let user = try await spender(3, in: ledger)
      try ledger.clock.set("2026-01-01T00:00:00Z")
      for credits: Int32 in [4, 5] { try await ledger.spend(credits, for: user) }
      #expect(try await pages(of: user, in: ledger, count: 2) == [[5, 4], [3, 2], [1]])
    }
  }

  @Test func `entries can be filtered by year and month`() async throws {
    try await LedgerFixture.with(at: "2025-05-10T12:00:00Z") { ledger in
      let user = try await spender(2, in: ledger)
      for (credits, time) in [
        (3, "2025-06-10T12:00:00Z"), (4, "2026-05-10T12:00:00Z"), (5, "2026-06-10T12:00:00Z"),
      ] as [(Int32, String)] {
        try ledger.clock.set(time)
        try await ledger.spend(credits, for: user)
      }
      let table: [(Int32?, Int32?, [Int32])] = [
        (nil, nil, [5, 4, 3, 2, 1]),
        (2025, nil, [3, 2, 1]),
        (2026, nil, [5, 4]),
        (nil, 5, [4, 2, 1]),
        (2025, 5, [2, 1]),
        (2024, nil, []),
      ]
      for (year, month, expected) in table {
        let page = try await ledger.store.entries(
          of: user, year: year, month: month, after: nil, count: 10)
        #expect(page.rows.map(\.credits) == expected)
        #expect(page.next == nil)
      }
      let first = try await ledger.store.entries(
        of: user, year: 2025, month: 5, after: nil, count: 1)
      #expect(first.rows.map(\.credits) == [2])
      let second = try await ledger.store.entries(
        of: user, year: 2025, month: 5, after: first.next, count: 1)
      #expect(second.rows.map(\.credits) == [1])
      #expect(second.next == nil)
    }
  }

  @Test func `an empty ledger has one empty page`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      let page = try await ledger.store.entries(of: user, after: nil, count: 10)
      #expect(page.rows.isEmpty)
      #expect(page.next == nil)
    }
  }
}
