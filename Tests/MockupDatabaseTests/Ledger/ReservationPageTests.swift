import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct ReservationPageTests {
  @Test func `reservations are listed in pages from the newest`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(), try await ledger.user())
      var ids: [UUID] = []
      for second in 0..<4 {
        // Three reservations of one instant are ordered by their ids.
        let batch = (0..<3).map { _ in UUID() }
        for id in batch { try await ledger.reserve(1, for: user, id: id) }
        ids.append(contentsOf: batch.sorted { $0.uuidString < $1.uuidString })
        if second < 3 { ledger.clock.advance(by: 1) }
      }
      try await ledger.reserve(1, for: other)
      for count: Int32 in [1, 5, 12, 13] {
        var listed: [UUID] = []
        var cursor: ReservationCursor?
        repeat {
          let page = try await ledger.store.reservations(of: user, after: cursor, count: count)
          #expect(page.rows.count <= Int(count))
          listed.append(contentsOf: page.rows.map(\.id))
          cursor = page.next
        } while cursor != nil
        #expect(listed == ids.reversed(), "pages of \(count)")
      }
    }
  }

  @Test func `a list shows expired states and can be filtered`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 20)
      let mockup = try await ledger.mockup(of: user)
      let group = UUID()
      let ids = (0..<5).map { _ in UUID() }
      try await ledger.reserve(1, for: user, id: ids[0], seconds: 60, mockup: mockup)
      try await ledger.reserve(1, for: user, id: ids[1], seconds: 60, group: group)
      try await ledger.reserve(1, for: user, id: ids[2], mockup: mockup, group: group)
      try await ledger.reserve(1, for: user, id: ids[3])
      try await ledger.reserve(99, for: user, id: ids[4])
      try await ledger.dispatch(ids[1], for: user)
      try await ledger.release(ids[3], for: user)
      ledger.clock.advance(by: 60)
      let table: [(ReservationFilter, Set<UUID>)] = [
        (ReservationFilter(), Set(ids)),
        (ReservationFilter(states: [.expired]), [ids[0]]),
        (ReservationFilter(states: [.unresolved, .released]), [ids[1], ids[3]]),
        (ReservationFilter(states: [.dispatched]), []),
        (ReservationFilter(states: [.refused]), [ids[4]]),
        (ReservationFilter(groupID: group), [ids[1], ids[2]]),
        (ReservationFilter(mockupID: mockup), [ids[0], ids[2]]),
        (ReservationFilter(states: [.held], groupID: group, mockupID: mockup), [ids[2]]),
      ]
      for (filter, expected) in table {
        let page = try await ledger.store.reservations(
          of: user, where: filter, after: nil, count: 100)
        #expect(Set(page.rows.map(\.id)) == expected, "\(filter)")
        for listed in page.rows {
          #expect(try await ledger.store.reservation(listed.id, of: user) == listed)
        }
      }
      #expect(
        try await summary {
          try await ledger.store.reservations(of: UUID(), after: nil, count: 1)
        } == "unknown user")
    }
  }

  @Test func `a ledger is exported in chunks from the oldest entry`() async throws {
    try await LedgerFixture.with(at: "2025-12-31T00:00:00Z") { ledger in
      let user = try await ledger.user()
      for _ in 0..<3 { try await ledger.spend(1, for: user) }
      try ledger.clock.set("2026-01-01T00:00:00Z")
      for _ in 0..<3 { try await ledger.spend(1, for: user) }
      let newestFirst = try await ledger.store.entries(of: user, after: nil, count: 100).rows
      var exported: [LedgerEntry] = []
      var cursor: LedgerCursor?
      while true {
        let chunk = try await ledger.store.export(of: user, after: cursor, count: 4)
        guard let last = chunk.last else { break }
        exported.append(contentsOf: chunk)
        cursor = LedgerCursor(year: last.period.year, sequence: last.sequence)
      }
      #expect(exported == newestFirst.reversed())
      let year = try await ledger.store.export(of: user, year: 2025, after: nil, count: 100)
      #expect(year == Array(exported.prefix(3)))
      #expect(
        try await summary { try await ledger.store.export(of: UUID(), after: nil, count: 1) }
          == "unknown user")
    }
  }
}
