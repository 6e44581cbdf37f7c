public import MockupClient

/// The query of the page of all users: period, order and search.
public struct UsersQuery: Sendable, Hashable {
  /// The order of the users, by its name in an address.
  public enum Order: String, Sendable, CaseIterable {
    /// The fewest available credits first.
    case available
    /// The most used credits first.
    case used
    /// The most held credits first.
    case held
    /// The most used credits of the month first.
    case month
    /// By user id.
    case user

    /// The order in a request for the report.
    public var usageOrder: UsageOrder {
      switch self {
      case .available: .available
      case .used: .used
      case .held: .held
      case .month: .monthlyUsed
      case .user: .unspecified
      }
    }
  }

  /// The year of the report.
  public var year: Int
  /// The month of the report, 1 to 12.
  public var month: Int
  /// The order of the users.
  public var order: Order
  /// The text that is searched for; empty: all users.
  public var search: String
  /// The path to this page.
  public var path: PagePath

  /// Creates a query.
  public init(
    year: Int, month: Int, order: Order = .available, search: String = "",
    path: PagePath = PagePath()
  ) {
    self.year = year
    self.month = month
    self.order = order
    self.search = search
    self.path = path
  }

  /// Returns the address of a page, with the query's parts that are given replaced.
  func address(
    year: Int? = nil, month: Int? = nil, order: Order? = nil, path: PagePath = PagePath(),
    format: String? = nil
  ) -> String {
    var items = [
      ("year", "\(year ?? self.year)"), ("month", "\(month ?? self.month)"),
      ("sort", (order ?? self.order).rawValue),
    ]
    if !search.isEmpty { items.append(("q", search)) }
    if !path.token.isEmpty { items.append(("page", path.text)) }
    if let format { items.append(("format", format)) }
    return "/?" + Address.query(items)
  }
}
