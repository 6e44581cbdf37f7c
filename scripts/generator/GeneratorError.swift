/// Why nothing was generated, in words for the author of a `.proto` file.
struct GeneratorError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  /// The schema uses something that the bridge cannot carry.
  static func unsupported(_ what: String, at place: String) -> GeneratorError {
    GeneratorError("\(place): \(what) not supported")
  }
}
