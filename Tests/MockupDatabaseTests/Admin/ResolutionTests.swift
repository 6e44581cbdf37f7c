import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct ResolutionTests {
  /// Makes an unresolved reservation: 5 credits, dispatched and expired.
  private func unresolved(of user: UUID, in ledger: LedgerFixture) async throws -> UUID {
    let id = try await ledger.reserve(5, for: user, seconds: 60).reservation.id
    try await ledger.dispatch(id, for: user)
    ledger.clock.advance(by: 60)
    return id
  }

  /// Resolves a reservation, and returns a short description of the outcome.
  private func resolve(
    _ id: UUID, of user: UUID, as resolution: UUID, credits: Int32, overrun: Bool = false,
    by admin: AdminStore
  ) async throws -> String {
    try await summary {
      try await admin.resolve(
        Resolution(
          userID: user, reservationID: id, id: resolution, credits: credits,
          allowsOverrun: overrun))
    }
  }

  @Test(
    arguments: [
      (0, "released 0, 10 available"), (3, "late committed 3, 7 available"),
      (5, "late committed 5, 5 available"), (6, "more than 5"),
    ] as [(Int32, String)])
  func `a resolution charges the given credits and releases the rest`(
    credits: Int32, expected: String
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let id = try await unresolved(of: user, in: ledger)
      let resolution = UUID()
      #expect(
        try await resolve(id, of: user, as: resolution, credits: credits, by: admin) == expected)
      let isResolved = credits <= 5
      // A retry, followed by different requests.
      if isResolved {
        #expect(
          try await resolve(id, of: user, as: resolution, credits: credits, by: admin)
            == "replayed \(expected)")
        #expect(
          try await resolve(id, of: user, as: resolution, credits: credits + 1, by: admin)
            == "conflict in credits")
        #expect(
          try await resolve(id, of: user, as: UUID(), credits: credits, by: admin)
            == "not open but \(credits > 0 ? "committed" : "released")")
      }
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.used == (isResolved ? Int64(credits) : 0))
      #expect(usage.held == (isResolved ? 0 : 5))
      #expect(try await ledger.entries(of: user).count == (isResolved && credits > 0 ? 1 : 0))
    }
  }

  @Test func `an overrun is charged only if it is allowed and available`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let id = try await unresolved(of: user, in: ledger)
      #expect(
        try await resolve(id, of: user, as: UUID(), credits: 11, overrun: true, by: admin)
          == "insufficient, 5 available")
      #expect(
        try await resolve(id, of: user, as: UUID(), credits: 10, overrun: true, by: admin)
          == "late committed 10 (5 overrun), 0 available")
    }
  }

  @Test(arguments: [(false, true, true), (true, true, false), (true, false, true)])
  func `a late commit counts as the resolution that would have made it, and as no other`(
    isDispatched: Bool, committedOverrun: Bool, resolvedOverrun: Bool
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let id = try await ledger.reserve(5, for: user, seconds: 60).reservation.id
      if isDispatched { try await ledger.dispatch(id, for: user) }
      ledger.clock.advance(by: 60)
      _ = try await ledger.store.settle(
        Settlement(
          userID: user, reservationID: id,
          action: .commit(id: id, credits: 3, allowsOverrun: committedOverrun)))
      #expect(
        try await resolve(id, of: user, as: id, credits: 3, overrun: resolvedOverrun, by: admin)
          == "not open but committed")
      guard isDispatched else { return }
      #expect(
        try await resolve(id, of: user, as: id, credits: 3, overrun: committedOverrun, by: admin)
          == "replayed late committed 3, 7 available")
    }
  }

  @Test func `only an unresolved reservation can be resolved`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 100)
      var reservations: [(id: UUID, state: String)] = []
      for state in ["held", "dispatched", "committed", "released"] {
        let id = try await ledger.reserve(2, for: user, seconds: 3600).reservation.id
        switch state {
        case "dispatched": try await ledger.dispatch(id, for: user)
        case "committed": try await ledger.commit(of: id, for: user)
        case "released": try await ledger.release(id, for: user)
        default: break
        }
        reservations.append((id, state))
      }
      let refused = try await ledger.reserve(1000, for: user).reservation.id
      reservations.append((refused, "refused"))
      let expired = try await ledger.reserve(2, for: user, seconds: 60).reservation.id
      reservations.append((expired, "expired"))
      ledger.clock.advance(by: 60)

      let rows = """
        SELECT mockupd.as_of(r, '\(ledger.clock.now.ISO8601Format())')::text
        FROM mockupd.reservations AS r ORDER BY id
        """
      let before = try await ledger.lines(rows)
      for (id, state) in reservations {
        for credits: Int32 in [0, 2] {
          #expect(
            try await resolve(id, of: user, as: UUID(), credits: credits, by: admin)
              == "not open but \(state)")
        }
      }
      // Under the id of the reservation, which a commit uses if it has no id of its own.
      for (id, state) in reservations {
        for credits: Int32 in state == "released" ? [2] : [0, 1, 2] {
          #expect(
            try await resolve(id, of: user, as: id, credits: credits, by: admin)
              == "not open but \(state)")
        }
      }
      #expect(
        try await resolve(UUID(), of: user, as: UUID(), credits: 0, by: admin)
          == "unknown reservation")
      #expect(try await ledger.lines(rows) == before)
    }
  }

  @Test(arguments: [(0, "released 0, 10 available"), (3, "late committed 3, 7 available")])
  func `a resolution under the id of its reservation is idempotent`(
    credits: Int32, expected: String
  ) async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let id = try await unresolved(of: user, in: ledger)
      #expect(try await resolve(id, of: user, as: id, credits: credits, by: admin) == expected)
      #expect(
        try await resolve(id, of: user, as: id, credits: credits, by: admin)
          == "replayed \(expected)")
      #expect(
        try await resolve(id, of: user, as: id, credits: credits + 1, by: admin)
          == "not open but \(credits > 0 ? "committed" : "released")")
    }
  }

  @Test func `an unresolved reservation is held and counted before and after a sweep`() async throws
  {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let other = try await ledger.user(budget: 10)
      _ = try await unresolved(of: user, in: ledger)
      try await ledger.reserve(1, for: other)
      try await ledger.withSweepers(1) { sweepers in
        for isSwept in [false, true] {
          let lines = try await admin.lines(of: UsageReportQuery(order: .held))
          #expect(lines.map(\.unresolved) == [1, 0])
          #expect(lines.map(\.usage.held) == [5, 1])
          let page = try await admin.usageReport(UsageReportQuery(year: 2001), after: nil, count: 1)
          #expect(page.totals.unresolved == 1, "unresolved reservations of every year count")
          #expect(try await admin.facts().unresolvedReservations == 1)
          #expect(
            try await sweepers[0].sweepReservations(limit: 10).expired == (isSwept ? 0 : 1))
        }
      }
    }
  }
}
