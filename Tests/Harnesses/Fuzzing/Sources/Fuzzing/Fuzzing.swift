import CFuzzing
import Glibc

/// The program: `Fuzzing TARGET [ARGUMENTS OF LIBFUZZER]`, or `Fuzzing seeds TARGET FOLDER`.
@main struct Fuzzing {
  static func main() {
    var arguments = CommandLine.arguments
    if arguments.count == 4, arguments[1] == "seeds", let target = Target(rawValue: arguments[2]) {
      return target.writeSeeds(into: arguments[3])
    }
    guard arguments.count > 1, Target(rawValue: arguments[1]) != nil else {
      let targets = Target.allCases.map(\.rawValue).joined(separator: "|")
      print("usage: Fuzzing \(targets) [ARGUMENTS OF LIBFUZZER]")
      print("       Fuzzing seeds \(targets) FOLDER")
      exit(64)
    }
    arguments.remove(at: 1)
    cfuzzing_take_over_jobs()
    exit(fuzz(arguments))
  }

  /// The target of this process, which is global since libFuzzer calls functions without a context.
  static let target =
    CommandLine.arguments.dropFirst().first.flatMap(Target.init(rawValue:)) ?? .messages

  static let seedRecords = target.seedRecords

  /// Runs libFuzzer.
  private static func fuzz(_ arguments: [String]) -> Int32 {
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var count = Int32(arguments.count)
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return unsafe LLVMFuzzerRunDriver(&count, &start) { bytes, count in
        let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        do {
          try Fuzzing.target.run(input[...])
        } catch {
          violated("a run begins: \(error)")
        }
        return 0
      }
    }
  }
}
