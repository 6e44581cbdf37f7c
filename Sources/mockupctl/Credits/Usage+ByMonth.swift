internal import FoundationEssentials
internal import MockupClient

extension Usage {
  /// The credits of a month, of one user or of all users together.
  private struct Month {
    var used: Int64
    var held: Int64
    /// The soft limit; `nil` for all users.
    var softLimit: Int64?
  }

  /// Writes each month of the year.
  func writeByMonth(_ client: MockupClient) async throws {
    let user = try await user?.id(client)
    var months: [Month] = []
    for number in 1...12 { months.append(try await month(number, of: user, client)) }
    let most = months.map { max($0.used, 0) + $0.held }.max() ?? 0
    try await connection.output.write(
      zip(Int64(1)..., months).map { number, month in
        if connection.output == .table { return row(number, month, most: most) }
        var record = Record([
          "month": .number(number), "monthly_used": .number(month.used),
          "monthly_held": .number(month.held),
        ])
        if let softLimit = month.softLimit {
          record.fields.append(("monthly_soft_limit", .number(softLimit)))
          record.fields.append(
            ("soft_limit_passed", .flag(month.used + month.held > softLimit)))
        }
        return record
      })
  }

  /// Returns the row of a month in a table, with a bar.
  private func row(_ number: Int64, _ month: Month, most: Int64) -> Record {
    var record = Record([
      "month": .number(number), "used": .number(month.used), "held": .number(month.held),
    ])
    if let softLimit = month.softLimit {
      record.fields.append(("soft_limit", .number(softLimit)))
      record.fields.append(("passed", .flag(month.used + month.held > softLimit)))
    }
    let bar = UsageBar.text(used: month.used, held: month.held, of: most)
    record.fields.append(("", .bar(bar)))
    return record
  }

  private func month(
    _ number: Int, of user: UUID?, _ client: MockupClient
  ) async throws -> Month {
    guard let user else {
      let totals = try await report(client, month: number).totals()
      return Month(used: totals.monthlyUsed, held: totals.monthlyHeld)
    }
    let usage = try await client.credits.usage(of: user, year: year, month: number)
    return Month(
      used: usage.monthlyUsed, held: usage.monthlyHeld, softLimit: usage.monthlySoftLimit)
  }
}
