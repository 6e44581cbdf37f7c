import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct SettlementTests {
  @Test(
    arguments: [
      (nil, "committed 5, 5 available"),
      (5, "committed 5, 5 available"),
      (2, "committed 2, 8 available"),
      (0, "released 0, 10 available"),
      (6, "more than 5"),
      (.max, "more than 5"),
    ] as [(Int32?, String)])
  func `a commit charges its credits and releases the rest`(credits: Int32?, expected: String)
    async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (id, commit) = (UUID(), UUID())
      try await ledger.reserve(5, for: user, id: id)
      for prefix in ["", "replayed "] where !(prefix == "replayed " && expected.contains("more")) {
        let answer = try await summary {
          try await ledger.commit(credits, of: id, for: user, id: commit)
        }
        #expect(answer == prefix + expected)
      }
      let reservation = try await ledger.store.reservation(id, of: user)
      let isOpen = expected.contains("more")
      #expect(reservation.held == (isOpen ? 5 : 0))
      #expect(reservation.commitID == (isOpen ? nil : commit))
      #expect(reservation.settledAt == (isOpen ? nil : ledger.clock.now))
      #expect(try await ledger.store.usage(of: user).used == Int64(reservation.committed))
      let charges = try await ledger.entries(of: user).map(\.credits)
      #expect(charges == (reservation.committed > 0 ? [reservation.committed] : []))
    }
  }

  @Test func `a negative commit is rejected and changes nothing`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(5, for: user, id: id)
      let before = try await ledger.store.usage(of: user)
      await #expect(throws: CreditError.self) {
        try await ledger.commit(-1, of: id, for: user)
      }
      #expect(try await ledger.store.usage(of: user) == before)
      #expect(try await ledger.store.reservation(id, of: user).state == .held)
    }
  }

  @Test func `a commit writes one ledger entry`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      let (id, entry) = (UUID(), UUID())
      try await ledger.database.withPool { pool in
        let store = CreditStore(pool: pool, now: { ledger.clock.now }, makeID: { entry })
        try await ledger.reserve(5, for: user, id: id, operation: .regeneration, mockup: mockup)
        ledger.clock.advance(by: 60)
        _ = try await store.settle(
          Settlement(
            userID: user, reservationID: id, action: .commit(id: UUID(), credits: 3)))
      }
      #expect(
        try await ledger.entries(of: user) == [
          LedgerEntry(
            id: entry, userID: user, sequence: 1, credits: 3, operation: .regeneration,
            balanceBefore: 10, balanceAfter: 7, period: Period(year: 2026, month: 5),
            createdAt: ledger.clock.now, mockupID: mockup, reservationID: id)
        ])
      let usage = try await ledger.store.usage(of: user)
      #expect(usage.regeneration == 3)
      #expect(usage.generation == 0)
      #expect(usage.monthlyUsed == 3)
      #expect(usage.monthlyHeld == 0)
    }
  }

  @Test func `a retried settlement gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (committed, released, commit) = (UUID(), UUID(), UUID())
      try await ledger.reserve(3, for: user, id: committed)
      try await ledger.reserve(2, for: user, id: released)
      let settlements: [@Sendable () async throws -> SettlementOutcome] = [
        { try await ledger.commit(1, of: committed, for: user, id: commit) },
        { try await ledger.release(released, for: user) },
      ]
      for settle in settlements {
        let first = try await settle()
        #expect(!first.isReplayed)
        ledger.clock.advance(by: 60)
        try await ledger.spend(1, for: user)
        var again = try await settle()
        #expect(again.isReplayed)
        again.isReplayed = false
        #expect(again == first)
      }
      #expect(try await ledger.store.usage(of: user).used == 3)
    }
  }

  enum Step: Sendable {
    case commit(Int32?, id: Int)
    case release
  }

  struct Order: Sendable, CustomTestStringConvertible {
    var steps: [(Step, String)]
    var testDescription: String { steps.map { "\($0.0)" }.joined(separator: ", then ") }
  }

  @Test(arguments: [
    Order(steps: [
      (.commit(3, id: 1), "committed 3, 7 available"),
      (.commit(2, id: 1), "conflict in credits"),
      (.commit(nil, id: 1), "conflict in credits"),
      (.commit(0, id: 1), "conflict in credits"),
      (.commit(3, id: 2), "not open but committed"),
      (.release, "not open but committed"),
      (.commit(3, id: 1), "replayed committed 3, 7 available"),
    ]),
    Order(steps: [
      (.release, "released 0, 10 available"),
      (.commit(3, id: 1), "not open but released"),
      (.commit(nil, id: 1), "not open but released"),
      (.commit(0, id: 1), "not open but released"),
      (.release, "replayed released 0, 10 available"),
    ]),
    Order(steps: [
      (.commit(0, id: 1), "released 0, 10 available"),
      (.commit(1, id: 1), "conflict in credits"),
      (.commit(1, id: 2), "not open but released"),
      (.release, "replayed released 0, 10 available"),
      (.commit(0, id: 1), "replayed released 0, 10 available"),
    ]),
    Order(steps: [
      (.commit(6, id: 1), "more than 5"),
      (.commit(5, id: 1), "committed 5, 5 available"),
    ]),
  ])
  func `a settled reservation stays settled`(_ order: Order) async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      let commits = [1: UUID(), 2: UUID()]
      try await ledger.reserve(5, for: user, id: id)
      for (step, expected) in order.steps {
        let answer = try await summary {
          switch step {
          case .commit(let credits, let number):
            try await ledger.commit(credits, of: id, for: user, id: commits[number] ?? UUID())
          case .release:
            try await ledger.release(id, for: user)
          }
        }
        #expect(answer == expected, "\(step)")
      }
    }
  }

  @Test func `only a held reservation can be settled`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let (refused, foreign) = (UUID(), UUID())
      try await ledger.reserve(11, for: user, id: refused)
      try await ledger.reserve(5, for: other, id: foreign)
      let table: [(UUID, String)] = [
        (refused, "not open but refused"),
        (foreign, "unknown reservation"),
        (UUID(), "unknown reservation"),
      ]
      for (id, expected) in table {
        #expect(try await summary { try await ledger.commit(of: id, for: user) } == expected)
        #expect(try await summary { try await ledger.commit(0, of: id, for: user) } == expected)
        #expect(try await summary { try await ledger.release(id, for: user) } == expected)
      }
      #expect(try await ledger.store.usage(of: other).held == 5)
    }
  }

  @Test func `the balance of each entry follows from the previous entry`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 20)
      for credits: Int32 in [3, 1, 4, 1, 5] {
        let id = UUID()
        try await ledger.reserve(credits + 1, for: user, id: id)
        try await ledger.commit(credits, of: id, for: user)
        try await ledger.reserve(1, for: user)
      }
      let entries = try await ledger.entries(of: user)
      #expect(entries.map(\.sequence) == [1, 2, 3, 4, 5])
      #expect(entries.map(\.balanceBefore) == [20, 17, 16, 12, 11])
      #expect(entries.map(\.balanceAfter) == [17, 16, 12, 11, 6])
    }
  }

  @Test func `deleting a mockup keeps its entries and reservations`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let mockup = try await ledger.mockup(of: user)
      try await ledger.spend(3, for: user, mockup: mockup)
      let open = UUID()
      try await ledger.reserve(2, for: user, id: open, mockup: mockup)
      #expect(try await ledger.entries(of: user).map(\.mockupID) == [mockup])
      try await ledger.run("DELETE FROM mockups WHERE id = '\(mockup)'")
      #expect(try await ledger.entries(of: user).map(\.mockupID) == [nil])
      // A reservation for it can still be committed, and a retried request is replayed.
      #expect(
        try await summary { try await ledger.reserve(2, for: user, id: open, mockup: mockup) }
          == "replayed admitted, 5 remaining")
      try await ledger.commit(of: open, for: user)
      #expect(try await ledger.entries(of: user).map(\.mockupID) == [nil, nil])
      #expect(try await ledger.entries(of: user).map(\.credits) == [3, 2])
    }
  }

  @Test func `deleting a user deletes all data of the user`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      for owner in [user, other] {
        try await ledger.spend(3, for: owner, mockup: try await ledger.mockup(of: owner))
        try await ledger.reserve(2, for: owner)
      }
      try await ledger.run("DELETE FROM auth.users WHERE id = '\(user)'")
      for table in [
        "mockupd.reservations", "mockupd.credit_counters", "mockup_credit_usage", "mockups",
      ] {
        #expect(
          try await ledger.lines("SELECT DISTINCT lower(user_id::text) FROM \(table)")
            == [other.uuidString.lowercased()], "\(table)")
      }
      #expect(try await summary { try await ledger.reserve(1, for: user) } == "unknown user")
    }
  }

  @Test func `a release is final and stores no commit id`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, id) = (try await ledger.user(budget: 10), UUID())
      try await ledger.reserve(4, for: user, id: id)
      let settled = try await ledger.lines(
        """
        SELECT concat_ws(
          ' ', s.outcome, (s.reservation).state, (s.reservation).commit_id, s.released)
        FROM mockupd.settle(
          '\(ledger.clock.now.ISO8601Format())', ARRAY['\(user)'::uuid], ARRAY['\(id)'::uuid],
          ARRAY['release'], ARRAY['\(UUID())'::uuid], '{}', ARRAY[false], '{}', '{}', '{}') AS s
        """)
      #expect(settled == ["settled released 4"])
    }
  }
}
