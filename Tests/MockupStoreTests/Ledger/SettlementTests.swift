import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct SettlementTests {
  @Test(
    "A commit spends what it says, and the rest is free again",
    arguments: [
      (nil, "committed 5, 5 available"),
      (5, "committed 5, 5 available"),
      (2, "committed 2, 8 available"),
      (0, "released 0, 10 available"),
      (6, "more than 5"),
      (.max, "more than 5"),
    ] as [(Int32?, String)])
  func aCommitSpends(credits: Int32?, expected: String) async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let (id, commit) = (UUID(), UUID())
      try await books.reserve(5, for: user, id: id)
      for prefix in ["", "replayed "] where !(prefix == "replayed " && expected.contains("more")) {
        let answer = try await summary {
          try await books.commit(credits, of: id, for: user, id: commit)
        }
        #expect(answer == prefix + expected)
      }
      let reservation = try await books.store.reservation(id, of: user)
      let isOpen = expected.contains("more")
      #expect(reservation.held == (isOpen ? 5 : 0))
      #expect(reservation.commitID == (isOpen ? nil : commit))
      #expect(reservation.settledAt == (isOpen ? nil : books.clock.now))
      #expect(try await books.store.usage(of: user).used == Int64(reservation.committed))
      let charges = try await books.ledger(of: user).map(\.credits)
      #expect(charges == (reservation.committed > 0 ? [reservation.committed] : []))
    }
  }

  @Test func aNegativeCommitIsRefusedAndChangesNothing() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      try await books.reserve(5, for: user, id: id)
      let before = try await books.store.usage(of: user)
      await #expect(throws: CreditError.self) {
        try await books.commit(-1, of: id, for: user)
      }
      #expect(try await books.store.usage(of: user) == before)
      #expect(try await books.store.reservation(id, of: user).state == .held)
    }
  }

  @Test func aCommitIsOneRowOfTheLedger() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let mockup = try await books.mockup(of: user)
      let (id, entry) = (UUID(), UUID())
      try await books.database.withPool { pool in
        let store = CreditStore(pool: pool, now: { books.clock.now }, makeID: { entry })
        try await books.reserve(5, for: user, id: id, operation: .regeneration, mockup: mockup)
        books.clock.advance(by: 60)
        _ = try await store.settle(
          Settlement(
            userID: user, reservationID: id, action: .commit(id: UUID(), credits: 3)))
      }
      #expect(
        try await books.ledger(of: user) == [
          LedgerEntry(
            id: entry, userID: user, sequence: 1, credits: 3, operation: .regeneration,
            balanceBefore: 10, balanceAfter: 7, period: Period(year: 2026, month: 5),
            createdAt: books.clock.now, mockupID: mockup, reservationID: id)
        ])
      let usage = try await books.store.usage(of: user)
      #expect(usage.regeneration == 3)
      #expect(usage.generation == 0)
      #expect(usage.monthlyUsed == 3)
      #expect(usage.monthlyHeld == 0)
    }
  }

  @Test func aSettlementSentAgainGetsItsFirstAnswer() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let (committed, released, commit) = (UUID(), UUID(), UUID())
      try await books.reserve(3, for: user, id: committed)
      try await books.reserve(2, for: user, id: released)
      let settlements: [@Sendable () async throws -> SettlementOutcome] = [
        { try await books.commit(1, of: committed, for: user, id: commit) },
        { try await books.release(released, for: user) },
      ]
      for settle in settlements {
        let first = try await settle()
        #expect(!first.isReplayed)
        books.clock.advance(by: 60)
        try await books.spend(1, for: user)
        var again = try await settle()
        #expect(again.isReplayed)
        again.isReplayed = false
        #expect(again == first)
      }
      #expect(try await books.store.usage(of: user).used == 3)
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

  @Test(
    "What is settled stays as it is",
    arguments: [
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
  func whatIsSettledStays(_ order: Order) async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let id = UUID()
      let commits = [1: UUID(), 2: UUID()]
      try await books.reserve(5, for: user, id: id)
      for (step, expected) in order.steps {
        let answer = try await summary {
          switch step {
          case .commit(let credits, let number):
            try await books.commit(credits, of: id, for: user, id: commits[number] ?? UUID())
          case .release:
            try await books.release(id, for: user)
          }
        }
        #expect(answer == expected, "\(step)")
      }
    }
  }

  @Test func nothingCanBeSettledThatIsNotHeld() async throws {
    try await Books.with { books in
      let (user, other) = (try await books.user(budget: 10), try await books.user(budget: 10))
      let (refused, foreign) = (UUID(), UUID())
      try await books.reserve(11, for: user, id: refused)
      try await books.reserve(5, for: other, id: foreign)
      let table: [(UUID, String)] = [
        (refused, "not open but refused"),
        (foreign, "unknown reservation"),
        (UUID(), "unknown reservation"),
      ]
      for (id, expected) in table {
        #expect(try await summary { try await books.commit(of: id, for: user) } == expected)
        #expect(try await summary { try await books.commit(0, of: id, for: user) } == expected)
        #expect(try await summary { try await books.release(id, for: user) } == expected)
      }
      #expect(try await books.store.usage(of: other).held == 5)
    }
  }

  @Test func eachEntrysBalanceFollowsFromTheOneBefore() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 20)
      for credits: Int32 in [3, 1, 4, 1, 5] {
        let id = UUID()
        try await books.reserve(credits + 1, for: user, id: id)
        try await books.commit(credits, of: id, for: user)
        try await books.reserve(1, for: user)
      }
      let entries = try await books.ledger(of: user)
      #expect(entries.map(\.sequence) == [1, 2, 3, 4, 5])
      #expect(entries.map(\.balanceBefore) == [20, 17, 16, 12, 11])
      #expect(entries.map(\.balanceAfter) == [17, 16, 12, 11, 6])
    }
  }

  @Test func aMockupThatIsDeletedLeavesItsEntries() async throws {
    try await Books.with { books in
      let user = try await books.user(budget: 10)
      let mockup = try await books.mockup(of: user)
      try await books.spend(3, for: user, mockup: mockup)
      let open = UUID()
      try await books.reserve(2, for: user, id: open, mockup: mockup)
      #expect(try await books.ledger(of: user).map(\.mockupID) == [mockup])
      try await books.run("DELETE FROM mockups WHERE id = '\(mockup)'")
      #expect(try await books.ledger(of: user).map(\.mockupID) == [nil])
      // What was reserved for it can still be committed, and a request sent again is still known.
      #expect(
        try await summary { try await books.reserve(2, for: user, id: open, mockup: mockup) }
          == "replayed admitted, 5 remaining")
      try await books.commit(of: open, for: user)
      #expect(try await books.ledger(of: user).map(\.mockupID) == [nil, nil])
      #expect(try await books.ledger(of: user).map(\.credits) == [3, 2])
    }
  }

  @Test func aUserThatIsDeletedTakesEverythingAlong() async throws {
    try await Books.with { books in
      let (user, other) = (try await books.user(budget: 10), try await books.user(budget: 10))
      for owner in [user, other] {
        try await books.spend(3, for: owner, mockup: try await books.mockup(of: owner))
        try await books.reserve(2, for: owner)
      }
      try await books.run("DELETE FROM auth.users WHERE id = '\(user)'")
      for table in [
        "mockupd.reservations", "mockupd.credit_counters", "mockup_credit_usage", "mockups",
      ] {
        #expect(
          try await books.lines("SELECT DISTINCT lower(user_id::text) FROM \(table)")
            == [other.uuidString.lowercased()], "\(table)")
      }
      #expect(try await summary { try await books.reserve(1, for: user) } == "unknown user")
    }
  }

  @Test func `a release is final and stores no commit id, whatever its caller passes`() async throws
  {
    try await Books.with { books in
      let (user, id) = (try await books.user(budget: 10), UUID())
      try await books.reserve(4, for: user, id: id)
      let settled = try await books.lines(
        """
        SELECT concat_ws(' ', s.outcome, (s.reservation).state, (s.reservation).commit_id, s.released)
        FROM mockupd.settle(
          '\(books.clock.now.ISO8601Format())', ARRAY['\(user)'::uuid], ARRAY['\(id)'::uuid],
          ARRAY['release'], ARRAY['\(UUID())'::uuid], '{}', ARRAY[false], '{}', '{}', '{}') AS s
        """)
      #expect(settled == ["settled released 4"])
    }
  }
}
