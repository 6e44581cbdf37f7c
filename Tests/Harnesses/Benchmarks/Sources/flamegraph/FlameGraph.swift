/// Draws the output of `perf script` as a flame graph.
///
/// The graph has a box for each function, on top of its caller, as wide as its share of the CPU
/// time.
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
