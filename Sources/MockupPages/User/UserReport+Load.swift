public import FoundationEssentials
public import MockupClient

extension UserReport {
  /// The maximum number of open reservations of which the sums are made.
  static let maximumOpen = 10_000
  /// The number of open reservations on a page.
  static let reservationsPageSize = 50
  /// The number of ledger entries on a page.
  static let ledgerPageSize = 50
  /// The number of mockups on a page.
  static let mockupsPageSize = 24

  private static let openStates: [ReservationState] = [.held, .dispatched, .unresolved]

  /// Loads the report on a user.
  ///
  /// The calls are made concurrently, so the parts can differ by changes that are made meanwhile.
  ///
  /// - Parameters:
  ///   - user: The user.
  ///   - year: The year in UTC, 1 to 9999.
  ///   - month: The month that is shown by day, 1 to 12; `nil` for none.
  ///   - pages: The pages of the lists.
  ///   - now: The current time.
  /// - Throws: `RPCError`; NOT_FOUND if the user is unknown.
  public static func load(
    _ client: MockupClient, user: UUID, year: Int, month: Int?, pages: Pages = Pages(),
    now: Timestamp
  ) async throws -> UserReport {
    let today = Day(now)
    let first = Day(year: year, month: 1, day: 1).date
    let last = Day(year: year, month: 12, day: 31).date
    async let days = client.admin.usageHistory(of: user, by: .day, from: first, through: last)
    async let months = client.admin.usageHistory(of: user, by: .month, from: first, through: last)
    let shownMonth = month ?? (year == today.year ? today.month : 12)
    async let usage = client.credits.usage(of: user, year: year, month: shownMonth)
    async let line = client.admin.usageReportPage(
      year: year, month: shownMonth, user: user, count: 1)
    async let spent = year == today.year ? spent(client, user, until: today) : nil
    async let open = open(client, user)
    async let reservations = client.credits.reservationsPage(
      of: user, in: openStates, count: reservationsPageSize, after: pages.reservations.token)
    async let ledger = client.credits.ledgerPage(
      of: user, year: year, month: month, count: ledgerPageSize, after: pages.ledger.token)
    async let mockups = client.mockups.listPage(
      of: user, count: mockupsPageSize, after: pages.mockups.token)
    let held = try await open
    return UserReport(
      userID: user.wireText, userLabel: try await line.users.first?.userLabel ?? "",
      usage: try await usage, year: year, month: month, now: now, days: try await days,
      months: try await months, monthlyHeld: Self.monthlyHeld(held.elements, year: year),
      spent: try await spent, open: held, pages: pages,
      reservations: Part(
        try await reservations.reservations, nextToken: try await reservations.nextPageToken),
      entries: Part(try await ledger.entries, nextToken: try await ledger.nextPageToken),
      mockups: Part(try await mockups.mockups, nextToken: try await mockups.nextPageToken))
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

  /// Returns the open reservations of a user, at most ``maximumOpen``.
  private static func open(
    _ client: MockupClient, _ user: UUID
  ) async throws -> Part<Reservation> {
    var open = Part<Reservation>([])
    repeat {
      let page = try await client.credits.reservationsPage(
        of: user, in: openStates, count: 1000, after: open.nextToken)
      open.elements += page.reservations
      open.nextToken = page.nextPageToken
    } while !open.nextToken.isEmpty && open.elements.count < maximumOpen
    return open
  }
}
