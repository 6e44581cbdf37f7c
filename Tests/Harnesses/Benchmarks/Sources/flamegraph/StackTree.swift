/// A tree of stacks, in which samples with the same callers are merged.
struct StackTree {
  struct Node {
    var count = 0
    var children: [String: Int] = [:]
  }

  /// The nodes; the first is the root.
  private(set) var nodes = [Node()]

  var count: Int { nodes[0].count }

  mutating func add(_ sample: [String]) {
    guard sample.first != "idle" else { return }
    var current = 0
    nodes[0].count += 1
    for frame in sample where frame != "[unknown]" {
      if let child = nodes[current].children[frame] {
        current = child
      } else {
        nodes.append(Node())
        nodes[current].children[frame] = nodes.count - 1
        current = nodes.count - 1
      }
      nodes[current].count += 1
    }
  }
}
