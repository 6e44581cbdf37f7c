/// A drawing of a tree of stacks as SVG, with the root at the bottom.
struct Drawing {
  private static let width = 1600.0
  private static let rowHeight = 17
  /// The smallest share that is drawn; a narrower box could not be seen.
  private static let leastShare = 0.0015

  private let tree: StackTree
  private let title: String
  private var boxes: [(depth: Int, x: Double, width: Double, name: String, share: Double)] = []

  init(_ tree: StackTree, title: String) {
    self.tree = tree
    self.title = title
    place(node: 0, name: "all", depth: 0, x: 0)
  }

  var svg: String {
    let depth = (boxes.map(\.depth).max() ?? 0) + 1
    let height = (depth + 2) * Self.rowHeight
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(height)\" "
        + "font-family=\"monospace\" font-size=\"11\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      "<text x=\"8\" y=\"14\" font-size=\"13\">\(Self.escaped(title))</text>",
    ]
    for box in boxes {
      let y = height - (box.depth + 1) * Self.rowHeight
      let percent = (box.share * 1000).rounded() / 10
      lines.append(
        "<g><title>\(Self.escaped(box.name)): \(percent) %</title>"
          + "<rect x=\"\(Self.short(box.x))\" y=\"\(y)\" width=\"\(Self.short(box.width))\" "
          + "height=\"\(Self.rowHeight - 1)\" fill=\"\(Self.colour(box.name, box.depth))\"/>")
      let labelWidth = Int(box.width / 6.7)
      if labelWidth >= 4 {
        let label = box.depth == 1 ? "\(box.name) \(percent) %" : box.name
        lines.append(
          "<text x=\"\(Self.short(box.x + 3))\" y=\"\(y + 12)\">"
            + "\(Self.escaped(String(label.prefix(labelWidth))))</text>")
      }
      lines.append("</g>")
    }
    lines.append("</svg>")
    return lines.joined(separator: "\n")
  }

  private mutating func place(node: Int, name: String, depth: Int, x: Double) {
    let share = Double(tree.nodes[node].count) / Double(max(tree.count, 1))
    guard share >= Self.leastShare, depth < 60 else { return }
    boxes.append((depth, x, share * Self.width, name, share))
    var x = x
    for (name, child) in tree.nodes[node].children.sorted(by: { $0.key < $1.key }) {
      place(node: child, name: name, depth: depth + 1, x: x)
      x += Double(tree.nodes[child].count) / Double(max(tree.count, 1)) * Self.width
    }
  }

  /// Returns a color by the kind of code (thread, Swift or C), with a shade by the name.
  private static func colour(_ name: String, _ depth: Int) -> String {
    if depth == 0 { return "#dddddd" }
    let hash = name.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }
    let shade = 62 + Int(hash % 18)
    let isSwift =
      name.contains(where: \.isUppercase) && name.contains(where: { $0 == "." || $0 == "(" })
    if depth == 1 { return "hsl(210, 30%, \(shade)%)" }
    return isSwift ? "hsl(24, 85%, \(shade)%)" : "hsl(\(190 + Int(hash % 30)), 45%, \(shade)%)"
  }

  private static func short(_ number: Double) -> String {
    "\((number * 100).rounded() / 100)"
  }

  private static func escaped(_ text: String) -> String {
    text.map { character -> String in
      switch character {
      case "<": "&lt;"
      case ">": "&gt;"
      case "&": "&amp;"
      case "\"": "&quot;"
      default: String(character)
      }
    }.joined()
  }
}
