/// A picture in SVG, which is drawn element by element.
///
/// Colours come from the stylesheet by class: the content security policy allows no style in
/// attributes.
struct SVG {
  private var content = ""
  private let opening: String

  /// Starts a picture that is read out with a title and a description.
  ///
  /// - Parameter id: An id that no other picture on the page has.
  init(id: String, width: Int, height: Int, title: String, description: String) {
    opening = """
      <svg class="plot" viewBox="0 0 \(width) \(height)" role="img" \
      aria-labelledby="\(id)-title \(id)-description">\
      <title id="\(id)-title">\(Markup.escaped(title))</title>\
      <desc id="\(id)-description">\(Markup.escaped(description))</desc>
      """
  }

  /// Starts a picture that repeats numbers of the text beside it, and is not read out.
  init(decorative name: String, width: Int, height: Int) {
    opening = """
      <svg class="\(name)" viewBox="0 0 \(width) \(height)" preserveAspectRatio="none" \
      aria-hidden="true" focusable="false">
      """
  }

  /// The picture as an element of HTML.
  var markup: String { opening + content + "</svg>" }

  mutating func rect(
    _ name: String, x: Double, y: Double, width: Double, height: Double, tip: String? = nil
  ) {
    guard width > 0, height > 0 else { return }
    let shape = "x=\"\(x.svg)\" y=\"\(y.svg)\" width=\"\(width.svg)\" height=\"\(height.svg)\""
    content += "<rect class=\"\(name)\" \(shape)\(Self.end(tip, "rect"))"
  }

  mutating func line(_ name: String, from start: (Double, Double), to end: (Double, Double)) {
    content += """
      <line class="\(name)" x1="\(start.0.svg)" y1="\(start.1.svg)" \
      x2="\(end.0.svg)" y2="\(end.1.svg)"/>
      """
  }

  mutating func polyline(_ name: String, _ points: [(Double, Double)]) {
    let list = points.map { "\($0.0.svg),\($0.1.svg)" }.joined(separator: " ")
    content += "<polyline class=\"\(name)\" points=\"\(list)\"/>"
  }

  mutating func polygon(_ name: String, _ points: [(Double, Double)]) {
    let list = points.map { "\($0.0.svg),\($0.1.svg)" }.joined(separator: " ")
    content += "<polygon class=\"\(name)\" points=\"\(list)\"/>"
  }

  mutating func circle(_ name: String, at center: (Double, Double), radius: Double) {
    content += """
      <circle class="\(name)" cx="\(center.0.svg)" cy="\(center.1.svg)" r="\(radius.svg)"/>
      """
  }

  mutating func text(
    _ text: String, at point: (Double, Double), anchor: Anchor = .start, _ name: String = "label"
  ) {
    content += """
      <text class="\(name)" x="\(point.0.svg)" y="\(point.1.svg)" \
      text-anchor="\(anchor.rawValue)">\(Markup.escaped(text))</text>
      """
  }

  enum Anchor: String {
    case start, middle, end
  }

  private static func end(_ tip: String?, _ name: String) -> String {
    tip.map { "><title>\(Markup.escaped($0))</title></\(name)>" } ?? "/>"
  }
}

extension Double {
  /// The number with at most one digit after the point, as an attribute.
  fileprivate var svg: String {
    let tenths = Int((isFinite ? self * 10 : 0).rounded())
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    return (tenths < 0 ? "-" : "") + (rest == 0 ? "\(whole)" : "\(whole).\(rest)")
  }
}
