/// The stream ids that a client has used on a connection.
///
/// Concurrent calls reach the server out of order if a client takes an id in one step and writes
/// the request in another, as ttrpc-rust's async client does. An id below the highest one is
/// therefore accepted once, if it is one of the last ``size`` odd ids. Older ids count as used.
struct StreamIDWindow {
  /// The number of odd ids in the window, the highest one included.
  ///
  /// It exceeds the default of ``ServerLimits/callsPerConnection``.
  static let size = 4096

  /// The highest used id, or 0 if no id was used.
  private(set) var highest: UInt32 = 0
  /// A bit for each skipped id, at position `id / 2 % size`.
  ///
  /// Empty until an id is skipped, which most clients never do.
  private var skipped: [UInt64] = []

  /// Marks an odd id as used.
  ///
  /// - Returns: False if the id was used before, or is older than the window.
  mutating func take(_ id: UInt32) -> Bool {
    if id > highest {
      skip(to: id)
      highest = id
      return true
    }
    guard highest - id <= 2 * UInt32(Self.size - 1), !skipped.isEmpty else { return false }
    let (word, bit) = Self.position(of: id / 2)
    guard skipped[word] & bit != 0 else { return false }
    skipped[word] &= ~bit
    return true
  }

  /// Marks the ids between the highest one and a new highest one as skipped.
  private mutating func skip(to id: UInt32) {
    let next = highest == 0 ? 0 : highest / 2 + 1
    if skipped.isEmpty {
      guard id / 2 > next else { return }
      skipped = [UInt64](repeating: 0, count: Self.size / 64)
    }
    if id / 2 - next >= UInt32(Self.size) {
      // All ids of the window are above the previous highest one.
      skipped = [UInt64](repeating: .max, count: Self.size / 64)
    } else {
      for number in next..<(id / 2) {
        let (word, bit) = Self.position(of: number)
        skipped[word] |= bit
      }
    }
    let (word, bit) = Self.position(of: id / 2)
    skipped[word] &= ~bit
  }

  private static func position(of number: UInt32) -> (word: Int, bit: UInt64) {
    let position = Int(number) % size
    return (position / 64, 1 << UInt64(position % 64))
  }
}
