/// The size of a plot, in units in which the text has 12.
///
/// A picture that is scaled down for a phone would have unreadable text, so each plot is drawn for
/// a wide and for a narrow screen; the stylesheet shows one of them.
enum PlotSize: String, CaseIterable {
  case wide, narrow

  var width: Int {
    switch self {
    case .wide: 680
    case .narrow: 340
    }
  }

  var height: Int { 230 }

  /// Returns both drawings of a plot as elements of HTML.
  static func both(_ draw: (PlotSize) -> String) -> String {
    allCases.map { "<div class=\"\($0.rawValue)\">\(draw($0))</div>" }.joined()
  }
}

/// The area of a plot within its axes, with the scales.
struct PlotArea {
  let left = 44.0
  let right: Double
  let top = 12.0
  let bottom: Double
  /// The value at the bottom, 0 or negative.
  let minimum: Double
  /// The value at the top.
  let maximum: Double
  /// The distance of the lines of the grid.
  let step: Double

  /// Creates an area for values up to a maximum, rounded up to a line of the grid.
  init(_ size: PlotSize, minimum: Int64 = 0, maximum: Int64) {
    right = Double(size.width) - 8
    bottom = Double(size.height) - 24
    step = Self.step(Double(max(maximum, 1)) - Double(min(minimum, 0)))
    self.minimum = (Double(min(minimum, 0)) / step).rounded(.down) * step
    self.maximum = (Double(max(maximum, 1)) / step).rounded(.up) * step
  }

  /// Returns a distance with at most 6 lines, of 1, 2 or 5 times a power of ten, and at least 1.
  static func step(_ range: Double) -> Double {
    var power = 1.0
    while true {
      for factor in [1.0, 2.0, 5.0] where range / (power * factor) <= 5 { return power * factor }
      power *= 10
    }
  }

  /// Returns the height of a value.
  func y(_ value: Double) -> Double {
    bottom - (value - minimum) / (maximum - minimum) * (bottom - top)
  }

  /// Returns the horizontal position of a part of the width, 0 to 1.
  func x(_ part: Double) -> Double { left + part * (right - left) }

  /// Draws the lines of the grid with their values.
  func drawGrid(_ svg: inout SVG) {
    var value = minimum
    while value <= maximum + step / 2 {
      let y = y(value)
      svg.line(value == 0 ? "axis" : "grid", from: (left, y), to: (right, y))
      svg.text(Display.number(Display.rounded(value)), at: (left - 6, y + 4), anchor: .end)
      value += step
    }
  }
}
