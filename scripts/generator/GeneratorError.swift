/// An error for the author of a `.proto` file, or of the command line.
struct GeneratorError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  /// Returns the error for a feature of the schema that the generator does not support.
  static func unsupported(_ what: String, at place: String) -> GeneratorError {
    GeneratorError("\(place): \(what) not supported")
  }
}
