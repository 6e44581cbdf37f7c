/// The bytes of an input as a list of records: a length byte, and that many bytes.
///
/// Every byte string is such a list, so that a small change of the bytes is a small change of the
/// steps.
struct Records: Sequence, IteratorProtocol {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
  }

  mutating func next() -> Fields? {
    guard let length = rest.popFirst() else { return nil }
    defer { rest = rest.dropFirst(Int(length)) }
    return Fields(rest.prefix(Int(length)))
  }
}

/// The fields of a record, read one after the other; missing bytes are 0.
struct Fields {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
  }

  mutating func byte() -> UInt8 {
    rest.popFirst() ?? 0
  }

  /// Reads a number below a bound.
  mutating func number(below bound: Int) -> Int {
    Int(byte()) % bound
  }

  mutating func word() -> UInt32 {
    (0..<4).reduce(0) { word, _ in word << 8 | UInt32(byte()) }
  }

  /// Reads all bytes that are left; after a first byte of 255, pads them to the length in the next
  /// two.
  mutating func payload() -> [UInt8] {
    guard rest.first == 255, rest.count >= 3 else { return Array(rest) }
    _ = byte()
    let count = (Int(byte()) << 8 | Int(byte())) % 4096
    return Array(rest) + [UInt8](repeating: 0, count: Swift.max(count - rest.count, 0))
  }
}

/// Ends the process because an invariant does not hold; libFuzzer keeps the input.
func violated(_ invariant: String) -> Never {
  fatalError("INVARIANT VIOLATED: \(invariant)")
}

/// Ends the process unless an invariant holds.
func expect(_ holds: Bool, _ invariant: @autoclosure () -> String) {
  if !holds { violated(invariant()) }
}
