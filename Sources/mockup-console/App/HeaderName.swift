internal import ArgumentParser
internal import HTTPTypes

/// The name of a header on the command line.
struct HeaderName: ExpressibleByArgument {
  var name: HTTPField.Name

  init?(argument: String) {
    guard let name = HTTPField.Name(argument) else { return nil }
    self.name = name
  }
}
