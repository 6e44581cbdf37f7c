import CFuzzing
import Glibc

/// The fuzzer's command line: runs libFuzzer on a target, or writes a target's seeds.
@main struct Fuzzing {
  static func main() {
    var arguments = CommandLine.arguments
    if arguments.count == 4, arguments[1] == "seeds", let target = Target(rawValue: arguments[2]) {
      return target.writeSeeds(into: arguments[3])
    }
    guard arguments.count > 1, Target(rawValue: arguments[1]) != nil else {
      let targets = Target.allCases.map(\.rawValue).joined(separator: "|")
      print("usage: Fuzzing \(targets) [LIBFUZZER-ARGUMENTS…]")
      print("       Fuzzing seeds \(targets) DIRECTORY")
      exit(64)
    }
    arguments.remove(at: 1)
    cfuzzing_take_over_jobs()
    exit(fuzz(arguments))
  }

  /// The target of this process.
  ///
  /// It is global because libFuzzer's callbacks have no context argument.
  static let target =
    CommandLine.arguments.dropFirst().first.flatMap(Target.init(rawValue:)) ?? .messages

  /// The records of the target's seeds, for mutations.
  static let seedRecords = target.seedRecords

  /// Runs libFuzzer, and returns its exit status.
  private static func fuzz(_ arguments: [String]) -> Int32 {
    // Never freed: libFuzzer keeps the arguments until the process ends.
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var count = Int32(arguments.count)
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return unsafe LLVMFuzzerRunDriver(&count, &start) { bytes, count in
        let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        do {
          try Fuzzing.target.run(input[...])
        } catch {
          violated("a run throws no error; it threw \(error)")
        }
        return 0
      }
    }
  }
}
