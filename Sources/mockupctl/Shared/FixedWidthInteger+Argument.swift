internal import ArgumentParser

extension FixedWidthInteger where Self: Sendable {
  /// Returns a parser of numbers on the command line that are at least `least`, and at most the
  /// largest number of 32 bits: requests cannot have larger ones.
  ///
  /// Use it with `parsing: .unconditional`; otherwise the parser takes `-5` for an option.
  static func atLeast(_ least: Self) -> @Sendable (String) throws -> Self {
    { text in
      guard let number = Self(text), number <= Int32.max else {
        throw ValidationError("it must be a whole number of at most \(Int32.max)")
      }
      guard number >= least else { throw ValidationError("it must be at least \(least)") }
      return number
    }
  }
}
