import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct MockupPageTests {
  @Test func `pages go from newest to oldest without gaps or repetitions`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      _ = try await fixture.pending(of: try await fixture.ledger.user())
      var made: [UUID] = []
      for _ in 0..<3 {
        // The mockups of one request have the same creation time.
        let outcome = try await fixture.generate(
          [try await fixture.asset(of: user)], ["bedroom", "living_room", "home_office"], for: user)
        made.insert(contentsOf: outcome.mockups, at: 0)
        fixture.ledger.clock.advance(by: 1)
      }
      var pages: [[UUID]] = []
      var cursor: MockupCursor?
      repeat {
        let page = try await fixture.store.mockups(of: user, after: cursor, count: 4)
        pages.append(page.rows.map(\.id))
        cursor = page.next
        // Newer mockups come before the first page.
        _ = try await fixture.pending(of: user)
      } while cursor != nil
      #expect(pages.map(\.count) == [4, 4, 1])
      let all = pages.flatMap { $0 }
      #expect(Set(all) == Set(made))
      for start in stride(from: 0, to: 9, by: 3) {
        #expect(Set(all[start..<start + 3]) == Set(made[start..<start + 3]))
      }
    }
  }

  @Test func `each filter narrows the list`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let (asset, other) = (try await fixture.asset(of: user), try await fixture.asset(of: user))
      let quote = try await fixture.quote(of: user)
      let quoted = try await fixture.generate([asset], ["bedroom"], for: user, quote: quote).mockups
      fixture.ledger.clock.advance(by: 1)
      _ = try await fixture.generate([asset, other], ["living_room"], for: user)
      let generating = try await fixture.claim().map(\.mockup.id)
      #expect(generating == quoted)
      let table: [(MockupFilter, Int)] = [
        (MockupFilter(), 3), (MockupFilter(assetID: asset), 2), (MockupFilter(assetID: UUID()), 0),
        (MockupFilter(quoteID: quote), 1), (MockupFilter(scene: "living_room"), 2),
        (MockupFilter(scene: "bedroom"), 1), (MockupFilter(status: .generating), 1),
        (MockupFilter(status: .pending), 2), (MockupFilter(status: .failed), 0),
        (MockupFilter(assetID: asset, quoteID: nil, scene: "living_room", status: .pending), 1),
      ]
      for (filter, count) in table {
        let page = try await fixture.store.mockups(of: user, where: filter, count: 10)
        #expect(page.rows.count == count, "\(filter)")
      }
    }
  }

  @Test func `listing the mockups of an unknown user is an error`() async throws {
    try await WorkerFixture.with { fixture in
      #expect(
        try await answer { try await fixture.store.mockups(of: UUID(), count: 1) } == "unknown user"
      )
      let user = try await fixture.ledger.user()
      #expect(try await fixture.store.mockups(of: user, count: 1).rows.isEmpty)
    }
  }
}
