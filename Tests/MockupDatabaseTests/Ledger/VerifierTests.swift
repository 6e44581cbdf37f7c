import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct VerifierTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// A statement that damages the data; `$SPENT` stands for the id of the committed reservation.
    var sql: String
    /// The expected discrepancies, all of the same user and year.
    var discrepancies: [String]

    init(_ description: String, _ sql: String, _ discrepancies: [String]) {
      testDescription = description
      self.sql = sql
      self.discrepancies = discrepancies
    }
  }

  /// The user was charged 3 for a generation and 2 for a regeneration in May 2026, and holds 4.
  static let damages = [
    Damage(
      "a counter of generations", "UPDATE mockupd.credit_counters SET generation = 1",
      ["generation: the counter is 1, but should be 3"]),
    Damage(
      "a counter of regenerations", "UPDATE mockupd.credit_counters SET regeneration = 0",
      ["regeneration: the counter is 0, but should be 2"]),
    Damage(
      "a counter of refunds", "UPDATE mockupd.credit_counters SET refund = 1",
      ["refund: the counter is 1, but should be 0"]),
    Damage(
      "a counter of entries", "UPDATE mockupd.credit_counters SET entries = 3",
      ["entries: the counter is 3, but should be 2"]),
    Damage(
      "a counter of held credits", "UPDATE mockupd.credit_counters SET held = 0",
      ["held: the counter is 0, but should be 4"]),
    Damage(
      "a month's counter", "UPDATE mockupd.credit_counters SET month_used[5] = 6",
      ["used in month 5: the counter is 6, but should be 5"]),
    Damage(
      "another month's counter", "UPDATE mockupd.credit_counters SET month_held[4] = 1",
      ["held in month 4: the counter is 1, but should be 0"]),
    Damage(
      "missing counters", "DELETE FROM mockupd.credit_counters",
      [
        "entries: the counter is 0, but should be 2",
        "generation: the counter is 0, but should be 3",
        "held in month 5: the counter is 0, but should be 4",
        "held: the counter is 0, but should be 4",
        "open: the counter is 0, but should be 1",
        "regeneration: the counter is 0, but should be 2",
        "used in month 5: the counter is 0, but should be 5",
      ]),
    Damage(
      "a missing entry", "DELETE FROM mockup_credit_usage WHERE operation = 'generation'",
      [
        "entries: the counter is 2, but should be 1",
        "generation: the counter is 3, but should be 0",
        "commit $SPENT: spent 3, but the ledger has nothing",
        "entry 2: its sequence should be 1",
        "reservation $SPENT: committed 3 (overrun 0), but its ledger entries sum to 0 (0)",
        "used in month 5: the counter is 5, but should be 2",
      ]),
    Damage(
      "an entry's credits",
      "UPDATE mockup_credit_usage SET credits = 1 WHERE operation = 'generation'",
      [
        "entry 1: balance_before is 10 and balance_after is 7 for a generation of 1",
        "generation: the counter is 3, but should be 1",
        "commit $SPENT: spent 3, but the ledger has 1",
        "entry 2: balance_before is 7, but should be 9",
        "reservation $SPENT: committed 3 (overrun 0), but its ledger entries sum to 1 (0)",
        "used in month 5: the counter is 5, but should be 3",
      ]),
    Damage(
      "an entry's balance",
      "UPDATE mockup_credit_usage SET balance_after = 8 WHERE operation = 'generation'",
      ["entry 1: balance_before is 10 and balance_after is 8 for a generation of 3"]),
    Damage(
      "an entry's month",
      "UPDATE mockup_credit_usage SET month = 6 WHERE operation = 'generation'",
      [
        "used in month 5: the counter is 5, but should be 2",
        "used in month 6: the counter is 0, but should be 3",
      ]),
    Damage(
      "the held credits of a reservation",
      "UPDATE mockupd.reservations SET held = 1, granted = 1 WHERE state = 'held'",
      [
        "held in month 5: the counter is 4, but should be 1",
        "held: the counter is 4, but should be 1",
      ]),
    Damage(
      "a missing reservation", "DELETE FROM mockupd.reservations WHERE state = 'held'",
      [
        "held in month 5: the counter is 4, but should be 0",
        "held: the counter is 4, but should be 0",
        "open: the counter is 1, but should be 0",
      ]),
    Damage(
      "the number of open reservations", "UPDATE mockupd.credit_counters SET open = 3",
      ["open: the counter is 3, but should be 1"]),
    Damage(
      "the number of unresolved reservations", "UPDATE mockupd.credit_counters SET unresolved = 2",
      ["unresolved: the counter is 2, but should be 0"]),
    Damage(
      "the committed credits of a reservation",
      "UPDATE mockupd.reservations SET committed = 2 WHERE id = '$SPENT'",
      [
        "commit $SPENT: spent 2, but the ledger has 3",
        "reservation $SPENT: committed 2 (overrun 0), but its ledger entries sum to 3 (0)",
      ]),
  ]

  @Test(arguments: damages)
  func `the verifier reports each kind of damage`(_ damage: Damage) async throws {
    try await MigratedDatabase.with { database in
      let clock = try TestClock("2026-05-10T12:00:00Z")
      let user = try await database.makeUser(annualBudget: 10)
      let other = try await database.makeUser(annualBudget: 10)
      let (spent, held) = (UUID(), UUID())
      try await database.withPool { pool in
        let store = CreditStore(pool: pool, now: { clock.now })
        try await LedgerFixture.withOwners(of: database) { owners in
          let ledger = LedgerFixture(
            database: database, clock: clock, store: store, owners: owners)
          try await ledger.reserve(3, for: user, id: spent)
          try await ledger.commit(of: spent, for: user, id: spent)
          try await ledger.spend(2, for: user, operation: .regeneration)
          try await ledger.reserve(4, for: user, id: held)
          #expect(try await database.discrepancies() == [])

          let filled = { (text: String) in
            text.replacing("$SPENT", with: spent.uuidString.lowercased())
          }
          try await ledger.run(filled(damage.sql))
          // Another user, whose data is not damaged.
          try await ledger.spend(1, for: other)
          let found = try await ledger.lines(
            """
            SELECT discrepancy FROM mockupd.verify_counters()
            WHERE user_id = '\(user)' AND year = 2026 ORDER BY discrepancy COLLATE "C"
            """)
          #expect(found == damage.discrepancies.map(filled).sorted())
          #expect(try await database.discrepancies().count == found.count)
          // Verifying single users finds the same for the first, and nothing for the second.
          let count = "SELECT count(*) FROM mockupd.verify_counters"
          #expect(try await ledger.lines("\(count)('\(user)')") == ["\(found.count)"])
          #expect(try await ledger.lines("\(count)('\(other)')") == ["0"])
        }
      }
    }
  }
}
