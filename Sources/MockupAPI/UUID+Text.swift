public import FoundationEssentials

extension UUID {
  /// The 36 characters by which ids travel, in lower case.
  public var wireText: String { uuidString.lowercased() }

  /// An id from its 36 characters, in either case, or nothing where they are none.
  public init?(wireText text: String) {
    // Foundation reads a pair of digits as C does: it takes "+8", " 8" and "0x" for one.
    let isWellFormed = text.utf8.enumerated().allSatisfy { index, character in
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
      case UInt8(ascii: "-"): [8, 13, 18, 23].contains(index)
      default: false
      }
    }
    guard isWellFormed, text.utf8.count == 36 else { return nil }
    self.init(uuidString: text)
  }
}
