import FoundationEssentials
import MockupClient
import TestSupport
import Testing

extension ClientArticleTests {
  @Test func `report usage, and set a budget`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      _ = try await makePictures(of: ["bedroom"], for: user, client, vendor)

      let report = try client.admin.usageReport(order: .available, activeOnly: true)
      var remaining: [String: Int64] = [:]
      for try await row in report {
        remaining[row.userID] = row.usage?.remainingAnnual
      }
      let totals = try await report.totals()
      #expect(remaining == [user.wireText: 9])
      #expect(totals.used == 1)

      let budget = try await client.admin.setBudget(of: user, annual: 5000, monthly: 400)
      #expect(budget.previousAnnualBudget == 10)

      let usage = try await client.credits.usage(of: user)
      let isAboveSoftLimit = usage.softLimitPassed
      #expect(!isAboveSoftLimit)
      #expect(usage.remainingAnnual == 4999)

      let year = usage.year
      let months = try await client.admin.usageHistory(
        of: user, by: .month, from: CivilDate(year: year, month: 1, day: 1),
        through: CivilDate(year: year, month: 12, day: 31))
      let busiest = months.max { $0.used < $1.used }
      #expect(busiest?.firstDay == CivilDate(year: year, month: usage.month, day: 1))
      #expect(busiest?.used == 1)
    }
  }

  @Test func `watch alerts`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let expected = 2
      var lines: [String] = []
      var resumeToken: String?
      for try await event in client.admin.watchAlerts() {
        resumeToken = event.resumeToken
        break
      }
      _ = try await client.credits.reserve(for: user, credits: 8)
      for try await event in client.admin.watchAlerts(from: resumeToken) {
        if let alert = event.alert {
          lines.append("\(alert.userID): \(alert.credits) of \(alert.limit) credits")
        }
        resumeToken = event.resumeToken
        if lines.count == expected { break }
      }
      #expect(lines == Array(repeating: "\(user.wireText): 8 of 10 credits", count: 2))
      var listed: [Int32] = []
      for try await alert in client.admin.alerts(of: user) { listed.append(alert.threshold) }
      #expect(listed == [80, 50])
    }
  }

  @Test func `resolve reservations`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let vendor = Vendor(failingOnceWith: Vendor.AnswerLost())
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      await #expect(throws: Vendor.AnswerLost.self) { try await run(job, client, vendor) }
      try await database.expireReservations()

      for try await unresolved in client.admin.unresolvedReservations() {
        guard let reservation = unresolved.reservation,
          let id = UUID(wireText: reservation.reservationID),
          let user = UUID(wireText: reservation.userID)
        else { continue }
        let charged = await vendor.pictures(for: id)?.count ?? 0
        _ = try await client.admin.resolve(id, of: user, credits: charged)
      }
      let settled = try await client.credits.reservation(job.id, of: user)
      #expect(settled.state == .committed)
      #expect(settled.committed == 2)
    }
  }

  func refund(
    _ job: Job, credits: Int, refundID: UUID, _ client: MockupClient
  ) async throws -> Bool {
    for try await entry in client.credits.ledger(of: job.user) {
      guard entry.reservationID == job.id.wireText, entry.operation != .refund,
        let charge = UUID(wireText: entry.entryID)
      else { continue }
      _ = try await client.credits.refund(
        charge, of: job.user, credits: credits, id: refundID)
      return true
    }
    return false
  }

  @Test func `refund a charge, and export the ledger`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      let job = Job(user: user, scenes: ["bedroom", "home_office"])
      _ = try await run(job, client, vendor)
      let refundID = UUID()
      #expect(try await refund(job, credits: 1, refundID: refundID, client))
      #expect(try await client.credits.usage(of: user).remainingAnnual == 9)

      var lines: [String] = []
      var resumeToken = ""
      try await client.credits.export(of: user, after: resumeToken) { chunk in
        for entry in chunk.entries {
          lines.append("\(entry.sequence): \(entry.operation) of \(entry.credits) credits")
        }
        resumeToken = chunk.resumeToken
      }
      #expect(lines == ["1: generation of 2 credits", "2: refund of 1 credits"])
      #expect(!resumeToken.isEmpty)
    }
  }

  @Test func `verify the ledger`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      let vendor = Vendor()
      _ = try await makePictures(of: ["bedroom"], for: user, client, vendor)

      let discrepancies = try await client.admin.verifyLedger { answers in
        var found: [Discrepancy] = []
        for try await answer in answers {
          if let discrepancy = answer.discrepancy { found.append(discrepancy) }
        }
        return found
      }
      #expect(discrepancies.isEmpty)

      let info = try await client.admin.serverInfo()
      let waiting = info.unresolvedReservations + info.pendingMockups
      #expect(waiting == 0)
    }
  }
}
