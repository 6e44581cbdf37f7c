internal import ArgumentParser

extension FixedWidthInteger where Self: Sendable {
  /// Reads a number of the command line, which must not be less than another.
  ///
  /// To be used with `parsing: .unconditional`, since the parser takes `-5` for an option otherwise.
  static func atLeast(_ least: Self) -> @Sendable (String) throws -> Self {
    { text in
      guard let number = Self(text) else {
        throw ValidationError("it must be a whole number of at most \(Self.max)")
      }
      guard number >= least else { throw ValidationError("it must be at least \(least)") }
      return number
    }
  }
}
