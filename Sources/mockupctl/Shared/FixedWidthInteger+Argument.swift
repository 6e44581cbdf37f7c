internal import ArgumentParser

extension FixedWidthInteger where Self: Sendable {
  /// Returns a parser of numbers on the command line that are at least `least`.
  ///
  /// Use it with `parsing: .unconditional`; otherwise the parser takes `-5` for an option.
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
