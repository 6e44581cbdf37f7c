/// Draws what `perf script` prints as a flame graph: a box for each function, as wide as its share of the
/// processors' time, on the one that called it.
///
///     perf script -F comm,tid,ip,sym | swift demangle --simplified | flamegraph TITLE >graph.svg
@main
struct FlameGraph {
  static func main() {
    let title = CommandLine.arguments.dropFirst().joined(separator: " ")
    var tree = StackTree()
    var reader = SampleReader()
    while let line = readLine() {
      if let sample = reader.read(line) { tree.add(sample) }
    }
    if let sample = reader.end() { tree.add(sample) }
    print(Drawing(tree, title: title).svg)
  }
}
