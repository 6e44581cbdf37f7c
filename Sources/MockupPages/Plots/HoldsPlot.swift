/// The credits that open reservations hold, by the age and the state of the reservations.
struct HoldsPlot {
  /// The ages, each up to a number of seconds.
  static let ages: [(name: String, seconds: Int64)] = [
    ("up to 15 min", 900), ("up to 1 hour", 3600), ("up to 1 day", 86_400),
    ("up to 7 days", 604_800), ("older", .max),
  ]

  /// The reservations of an age.
  struct Row: Equatable {
    var reservations = 0
    var held: Int64 = 0
    var dispatched: Int64 = 0
    var unresolved: Int64 = 0

    var credits: Int64 { held + dispatched + unresolved }
  }

  /// A row for each of ``ages``.
  var rows: [Row]

  /// Counts reservations by age.
  init(_ reservations: [Hold]) {
    rows = Self.ages.map { _ in Row() }
    for reservation in reservations {
      let index = Self.ages.firstIndex { reservation.age <= $0.seconds } ?? Self.ages.count - 1
      rows[index].reservations += 1
      switch reservation.state {
      case .held: rows[index].held += reservation.credits
      case .dispatched: rows[index].dispatched += reservation.credits
      case .unresolved: rows[index].unresolved += reservation.credits
      }
    }
  }

  /// An open reservation.
  struct Hold {
    enum State {
      case held, dispatched, unresolved
    }

    var state: State
    /// The held credits.
    var credits: Int64
    /// The time since it was made, in seconds.
    var age: Int64
  }

  /// Returns the bar of a row as an element of HTML; the numbers are beside it.
  func bar(_ row: Row) -> String {
    let most = Double(max(rows.map(\.credits).max() ?? 0, 1))
    let width = 200.0
    var svg = SVG(decorative: "bar plain", width: Int(width), height: 10)
    var x = 0.0
    let parts = [("held", row.held), ("dispatched", row.dispatched), ("over", row.unresolved)]
    for (name, credits) in parts {
      let part = Double(credits) / most * width
      svg.rect(name, x: x, y: 0, width: part, height: 10)
      x += part
    }
    return svg.markup
  }
}
