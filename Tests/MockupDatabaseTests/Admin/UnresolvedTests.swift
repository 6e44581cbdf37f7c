import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// The list of the unresolved reservations of all users, and the labels of users.
@Suite struct UnresolvedTests {
  /// Returns the ids of all unresolved reservations, fetched page by page.
  private func listed(_ admin: AdminStore, pageSize: Int32 = 2) async throws -> [UUID] {
    var found: [UUID] = []
    var cursor: UnresolvedCursor?
    repeat {
      let page = try await admin.unresolvedReservations(after: cursor, count: pageSize)
      for one in page.rows { #expect(one.reservation.state == .unresolved) }
      found += page.rows.map(\.reservation.id)
      cursor = page.next
    } while cursor != nil
    return found
  }

  @Test func `the list has every unresolved reservation once, the oldest first`() async throws {
    try await LedgerFixture.withAdmin { ledger, admin in
      let users = [try await ledger.user(partition: 0), try await ledger.user(partition: 1)]
      // The later a reservation is made, the sooner it expires.
      var expected: [UUID] = []
      for seconds in [600, 500, 400, 300, 200] {
        for user in users {
          let id = try await ledger.reserve(1, for: user, seconds: seconds).reservation.id
          try await ledger.dispatch(id, for: user)
          try await ledger.reserve(1, for: user, seconds: seconds)
          expected.append(id)
        }
      }
      #expect(try await listed(admin).isEmpty)
      ledger.clock.advance(by: 450)
      // The expiry of these is not recorded yet. Half of them is recorded by the next calls.
      let due = expected.suffix(6)
      #expect(Set(try await listed(admin)) == Set(due))
      try await ledger.reserve(1, for: users[0])
      #expect(Set(try await listed(admin)) == Set(due))
      let since = try await admin.unresolvedReservations(after: nil, count: 10).rows
        .map(\.reservation.expiresAt)
      #expect(since == since.sorted())
      #expect(since.count == 6)

      // Settled ones are not in the list any more.
      _ = try await admin.resolve(
        Resolution(userID: users[0], reservationID: expected[8], id: UUID(), credits: 1))
      try await ledger.commit(1, of: expected[9], for: users[1])
      #expect(Set(try await listed(admin)) == Set(due.dropLast(2)))
    }
  }

  @Test func `a trial of a resolution or a budget has the outcome and changes nothing`()
    async throws
  {
    try await LedgerFixture.withAdmin { ledger, admin in
      let user = try await ledger.user(budget: 10)
      let id = try await ledger.reserve(5, for: user, seconds: 60).reservation.id
      try await ledger.dispatch(id, for: user)
      ledger.clock.advance(by: 60)
      let resolution = Resolution(userID: user, reservationID: id, id: UUID(), credits: 3)
      let budget = { (isTrial: Bool) async throws in
        try await admin.setBudget(
          of: user, annualBudget: 7, monthlySoftLimit: nil, changedBy: "test", isTrial: isTrial)
      }

      for _ in 0..<2 {
        let trial = try await admin.resolve(resolution, isTrial: true)
        #expect(trial.reservation.state == .committed)
        #expect(trial.usage.used == 3)
        #expect(!trial.isReplayed)
        #expect(try await budget(true).previousAnnualBudget == 10)
        #expect(try await budget(true).usage.annualBudget == 7)
      }
      #expect(try await listed(admin) == [id])
      #expect(try await ledger.store.usage(of: user).annualBudget == 10)
      #expect(try await ledger.entries(of: user).isEmpty)
      #expect(try await ledger.lines("SELECT count(*) FROM mockupd.budget_changes") == ["0"])

      let excessive = Resolution(userID: user, reservationID: id, id: UUID(), credits: 6)
      #expect(
        try await summary { try await admin.resolve(excessive, isTrial: true) } == "more than 5")
      #expect(try await admin.resolve(resolution).reservation.state == .committed)
      #expect(try await budget(false).usage.annualBudget == 7)
    }
  }

  @Test func `a label is the e-mail address, or null if there is none or it cannot be read`()
    async throws
  {
    try await LedgerFixture.withAdmin { ledger, admin in
      let ann = try await ledger.user(partition: 0)
      let other = try await ledger.user(partition: 1)
      try await ledger.runInAll(
        "UPDATE auth.users SET email = 'ann@example.com' WHERE id = '\(ann)'")
      let labels = { () async throws in
        try await admin.lines(of: UsageReportQuery()).reduce(into: [UUID: String]()) {
          $0[$1.userID] = $1.label
        }
      }
      #expect(try await labels() == [ann: "ann@example.com"])
      #expect(try await admin.users(labelled: "ann@example.com", count: 10) == [ann])
      for label in ["Ann@example.com", "ann@example", "", "%"] {
        #expect(try await admin.users(labelled: label, count: 10).isEmpty, "\(label)")
      }

      try await ledger.runInAll("ALTER TABLE auth.users DROP COLUMN email")
      #expect(try await labels().isEmpty)

      // A replacement, under which two users have the same label.
      try await ledger.runInAll(
        """
        CREATE OR REPLACE FUNCTION mockupd.user_label(p_user_id uuid) RETURNS text
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$ SELECT 'somebody' $$
        """)
      #expect(try await labels() == [ann: "somebody", other: "somebody"])
      #expect(
        try await Set(admin.users(labelled: "somebody", count: 10)) == [ann, other])
      #expect(try await admin.users(labelled: "somebody", count: 1).count == 1)
    }
  }

  @Test func `all ledgers are exported by user, from any entry on`() async throws {
    try await LedgerFixture.withAdmin(at: "2026-12-30T12:00:00Z") { ledger, admin in
      var users: [UUID] = []
      for number in 0..<3 { users.append(try await ledger.user(partition: number)) }
      for _ in 0..<2 {
        for user in users { for _ in 0..<3 { try await ledger.spend(1, for: user) } }
        ledger.clock.advance(by: 3 * 86_400)
      }
      var expected: [UUID] = []
      for user in users.sorted(by: { $0.uuidString < $1.uuidString }) {
        expected += try await ledger.entries(of: user).map(\.id)
      }
      for count in [1, 2, 7, 100] as [Int32] {
        var found: [LedgerEntry] = []
        while true {
          let chunk = try await admin.export(
            year: nil, month: nil, after: found.last.map(ExportCursor.init), count: count)
          found += chunk
          if chunk.isEmpty { break }
        }
        #expect(found.map(\.id) == expected, "\(count)")
      }
      let january = try await admin.export(year: 2027, month: 1, after: nil, count: 100)
      #expect(january.count == 9)
      #expect(january.allSatisfy { $0.period == Period(year: 2027, month: 1) })
      #expect(try await admin.export(year: 2027, month: 12, after: nil, count: 100).isEmpty)
    }
  }
}
