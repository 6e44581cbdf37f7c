import FoundationEssentials
import MockupStore
import Mockups
import Testing

@Suite struct LedgerPageTests {
  /// A user who spent 1, 2, 3, … in turn, so that the credits tell the entries apart.
  private func spender(_ count: Int32, in books: Books) async throws -> UUID {
    let user = try await books.user()
    for credits in 1...count { try await books.spend(credits, for: user) }
    return user
  }

  private func pages(
    of user: UUID, in books: Books, count: Int32,
    afterEach: () async throws -> Void = {}
  ) async throws -> [[Int32]] {
    var pages: [[Int32]] = []
    var cursor: LedgerPage.Cursor?
    repeat {
      let page = try await books.store.entries(of: user, after: cursor, count: count)
      pages.append(page.entries.map(\.credits))
      cursor = page.next
      try await afterEach()
    } while cursor != nil && pages.count < 20
    return pages
  }

  @Test(
    "Pages have the newest first, and the last says that it is",
    arguments: [
      (1, [[5], [4], [3], [2], [1]]),
      (2, [[5, 4], [3, 2], [1]]),
      (4, [[5, 4, 3, 2], [1]]),
      (5, [[5, 4, 3, 2, 1]]),
      (6, [[5, 4, 3, 2, 1]]),
    ] as [(Int32, [[Int32]])])
  func pages(count: Int32, expected: [[Int32]]) async throws {
    try await Books.with { books in
      let user = try await spender(5, in: books)
      _ = try await spender(3, in: books)
      #expect(try await pages(of: user, in: books, count: count) == expected)
    }
  }

  @Test func pagesStayAsTheyAreWhileEntriesAreAdded() async throws {
    try await Books.with { books in
      let user = try await spender(5, in: books)
      let pages = try await pages(of: user, in: books, count: 2) {
        try await books.spend(100, for: user)
      }
      #expect(pages == [[5, 4], [3, 2], [1]])
    }
  }

  @Test func pagesGoOnOverTheTurnOfTheYear() async throws {
    try await Books.with(at: "2025-12-31T23:59:59Z") { books in
      let user = try await spender(3, in: books)
      try books.clock.set("2026-01-01T00:00:00Z")
      for credits: Int32 in [4, 5] { try await books.spend(credits, for: user) }
      #expect(try await pages(of: user, in: books, count: 2) == [[5, 4], [3, 2], [1]])
    }
  }

  @Test func entriesCanBeOfOneYearOrMonth() async throws {
    try await Books.with(at: "2025-05-10T12:00:00Z") { books in
      let user = try await spender(2, in: books)
      for (credits, time) in [
        (3, "2025-06-10T12:00:00Z"), (4, "2026-05-10T12:00:00Z"), (5, "2026-06-10T12:00:00Z"),
      ] as [(Int32, String)] {
        try books.clock.set(time)
        try await books.spend(credits, for: user)
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
        let page = try await books.store.entries(
          of: user, year: year, month: month, after: nil, count: 10)
        #expect(page.entries.map(\.credits) == expected)
        #expect(page.next == nil)
      }
      let first = try await books.store.entries(
        of: user, year: 2025, month: 5, after: nil, count: 1)
      #expect(first.entries.map(\.credits) == [2])
      let second = try await books.store.entries(
        of: user, year: 2025, month: 5, after: first.next, count: 1)
      #expect(second.entries.map(\.credits) == [1])
      #expect(second.next == nil)
    }
  }

  @Test func aLedgerMayBeEmpty() async throws {
    try await Books.with { books in
      let user = try await books.user()
      let page = try await books.store.entries(of: user, after: nil, count: 10)
      #expect(page.entries.isEmpty)
      #expect(page.next == nil)
    }
  }
}
