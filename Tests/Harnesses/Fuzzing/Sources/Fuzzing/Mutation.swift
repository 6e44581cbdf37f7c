import CFuzzing

/// A change of an input by whole records: one is removed, doubled, moved, inserted from the seeds,
/// or changed inside.
struct Mutation {
  private(set) var head: [UInt8]
  private(set) var records: [[UInt8]]
  private var random: SplitMix

  /// Creates a mutation of an input.
  ///
  /// - Parameter headCount: The number of bytes before the first record.
  init(_ input: [UInt8], headCount: Int, seed: UInt32) {
    head = Array(input.prefix(headCount))
    records = Records(input.dropFirst(headCount)).map { Array($0.rest) }
    random = SplitMix(state: UInt64(seed))
  }

  var bytes: [UInt8] {
    head + records.flatMap { [UInt8(min($0.count, 255))] + $0.prefix(255) }
  }

  mutating func change(borrowing others: [[UInt8]]) {
    guard let place = records.indices.randomElement(using: &random),
      let other = (0...records.count).randomElement(using: &random)
    else { return records += others.randomElement(using: &random).map { [$0] } ?? [] }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: records.remove(at: place)
    case 1: records.insert(records[place], at: other)
    case 2:
      let moved = records.remove(at: place)
      records.insert(moved, at: min(other, records.count))
    case 3: others.randomElement(using: &random).map { records.insert($0, at: other) }
    default: records[place] = mutated(records[place], capacity: 255)
    }
  }

  /// Changes bytes by libFuzzer's own mutator.
  private func mutated(_ bytes: [UInt8], capacity: Int) -> [UInt8] {
    var buffer = bytes + [UInt8](repeating: 0, count: max(capacity - bytes.count, 1))
    let count = unsafe LLVMFuzzerMutate(&buffer, bytes.count, capacity)
    return Array(buffer.prefix(count))
  }
}

/// SplitMix64, a generator with a seed: <https://prng.di.unimi.it/splitmix64.c>.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Changes an input; libFuzzer finds the function by its name and calls it for each new input.
@_cdecl("LLVMFuzzerCustomMutator")
func changeInput(
  _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int, _ seed: UInt32
) -> Int {
  // Half of the inputs are changed without regard to records.
  guard let headCount = Fuzzing.target.headCount, seed & 1 == 0 else {
    return unsafe LLVMFuzzerMutate(bytes, count, capacity)
  }
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  var mutation = Mutation(input, headCount: headCount, seed: seed)
  mutation.change(borrowing: Fuzzing.seedRecords)
  let changed = mutation.bytes.prefix(capacity)
  _ = unsafe UnsafeMutableBufferPointer(start: bytes, count: capacity).update(
    fromContentsOf: Array(changed))
  return changed.count
}
