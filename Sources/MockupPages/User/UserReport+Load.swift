public import FoundationEssentials
public import MockupClient

extension UserReport {
  /// The maximum number of open reservations that are counted and listed.
  static let maximumOpen = 500
  /// The maximum number of ledger entries on the page.
  static let maximumEntries = 50
  /// The maximum number of mockups on the page.
  static let maximumMockups = 24

  /// Loads the report on a user.
  ///
  /// The calls are made concurrently, so the parts can differ by changes that are made meanwhile.
  ///
  /// - Parameters:
  ///   - user: The user.
  ///   - year: The year in UTC, 1 to 9999.
  ///   - month: The month that is shown by day, 1 to 12; `nil` for none.
  ///   - now: The current time.
  /// - Throws: `RPCError`; NOT_FOUND if the user is unknown.
  public static func load(
    _ client: MockupClient, user: UUID, year: Int, month: Int?, now: Timestamp
  ) async throws -> UserReport {
    let today = Day(now)
    let first = Day(year: year, month: 1, day: 1).date
    let last = Day(year: year, month: 12, day: 31).date
    async let days = client.admin.usageHistory(of: user, by: .day, from: first, through: last)
    async let months = client.admin.usageHistory(of: user, by: .month, from: first, through: last)
    async let usage = client.credits.usage(
      of: user, year: year, month: month ?? (year == today.year ? today.month : 12))
    async let spent = year == today.year ? spent(client, user, until: today) : nil
    async let open = part(
      of: client.credits.reservations(of: user, in: [.held, .dispatched, .unresolved]),
      maximumOpen)
    async let entries = part(
      of: client.credits.ledger(of: user, year: year, month: month), maximumEntries)
    async let mockups = part(of: client.mockups.list(of: user), maximumMockups)
    let held = try await open
    return UserReport(
      userID: user.wireText, usage: try await usage, year: year, month: month, now: now,
      days: try await days, months: try await months,
      monthlyHeld: Self.monthlyHeld(held.elements, year: year), spent: try await spent,
      open: held, entries: try await entries, mockups: try await mockups)
  }

  /// Returns the credits that a user has spent in the days of a forecast.
  public static func spent(
    _ client: MockupClient, _ user: UUID, until today: Day
  ) async throws -> Int64 {
    let days = try await client.admin.usageHistory(
      of: user, by: .day, from: today.advanced(by: 1 - Forecast.days).date, through: today.date)
    return days.reduce(0) { $0 + $1.used }
  }

  private static func monthlyHeld(_ reservations: [Reservation], year: Int) -> [Int64] {
    reservations.reduce(into: Array(repeating: 0, count: 12)) { held, reservation in
      guard Int(reservation.year) == year, (1...12).contains(reservation.month) else { return }
      held[Int(reservation.month) - 1] += Int64(reservation.held)
    }
  }

  private static func part<List: AsyncSequence>(
    of list: List, _ maximum: Int
  ) async throws -> Part<List.Element> where List.Element: Sendable {
    var elements: [List.Element] = []
    for try await element in list {
      guard elements.count < maximum else { return Part(elements, hasMore: true) }
      elements.append(element)
    }
    return Part(elements)
  }
}
