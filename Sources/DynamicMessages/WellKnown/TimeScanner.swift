/// Reads the parts of a time's text.
struct TimeScanner {
  private var rest: ArraySlice<UInt8>

  init(_ text: String) {
    rest = Array(text.utf8)[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  /// Takes all digits that follow, if their number is allowed; at most 18.
  mutating func number(
    digits allowed: ClosedRange<Int>, in range: ClosedRange<Int64> = 0...Int64.max
  ) -> Int64? {
    let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard allowed ~= digits.count, let number = Int64(String(decoding: digits, as: UTF8.self)),
      range ~= number
    else { return nil }
    rest = rest.dropFirst(digits.count)
    return number
  }

  /// The nanoseconds behind a point; 0 where there is none.
  mutating func fraction() -> Int32? {
    guard take(".") else { return 0 }
    let count = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }.count
    guard var fraction = number(digits: 1...9) else { return nil }
    for _ in count..<9 { fraction *= 10 }
    return Int32(fraction)
  }

  /// The seconds by which a time is ahead of UTC.
  mutating func offset() -> Int64? {
    if take("Z") { return 0 }
    let isBehind = take("-")
    guard isBehind || take("+"), let hours = number(digits: 2...2, in: 0...23), take(":"),
      let minutes = number(digits: 2...2, in: 0...59)
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return isBehind ? -seconds : seconds
  }
}
