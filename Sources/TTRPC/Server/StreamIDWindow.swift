/// The stream ids that a client has used on a connection.
///
/// A client that takes an id in one step and writes the request in another, as ttrpc-rust's async client
/// does, sends ids out of order when it makes calls concurrently. An id below the highest one is therefore
/// accepted once, as long as no more than ``size`` ids lie between them. Ids that are older count as used.
struct StreamIDWindow {
  /// The number of odd ids below the highest one that are remembered. By default, fewer calls are in flight on a
  /// connection.
  static let size = 4096

  /// The highest id that was used.
  private(set) var highest: UInt32 = 0
  /// A bit for each id that was left out, at the place `id / 2 % size`. Empty as long as no id was: most
  /// clients never leave one out.
  private var leftOut: [UInt64] = []

  /// Uses an odd id. Returns whether it was unused, as far as is known.
  mutating func take(_ id: UInt32) -> Bool {
    if id > highest {
      skip(to: id)
      highest = id
      return true
    }
    guard highest - id <= 2 * UInt32(Self.size - 1), !leftOut.isEmpty else { return false }
    let (word, bit) = Self.place(of: id / 2)
    guard leftOut[word] & bit != 0 else { return false }
    leftOut[word] &= ~bit
    return true
  }

  /// Marks the ids between the highest one and a new highest one as left out.
  private mutating func skip(to id: UInt32) {
    let next = highest == 0 ? 0 : highest / 2 + 1
    if leftOut.isEmpty {
      guard id / 2 > next else { return }
      leftOut = [UInt64](repeating: 0, count: Self.size / 64)
    }
    // What was there before is as far back as the window is long.
    if id / 2 - next >= UInt32(Self.size) {
      leftOut = [UInt64](repeating: .max, count: Self.size / 64)
    } else {
      for number in next..<(id / 2) {
        let (word, bit) = Self.place(of: number)
        leftOut[word] |= bit
      }
    }
    let (word, bit) = Self.place(of: id / 2)
    leftOut[word] &= ~bit
  }

  private static func place(of number: UInt32) -> (word: Int, bit: UInt64) {
    let place = Int(number) % size
    return (place / 64, 1 << UInt64(place % 64))
  }
}
