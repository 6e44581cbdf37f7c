/// The command line: a command, `--name value` options, and file names.
struct Arguments {
  let command: String
  private(set) var files: [String] = []
  private var options: [String: [String]] = [:]

  private static let known: Set<String> = [
    "descriptors", "output", "c-module", "visibility", "prefix", "service-module", "descriptor-set",
    "immediate", "deferred",
  ]

  init(_ words: [String]) throws {
    guard let command = words.first else { throw GeneratorError(Generator.usage) }
    self.command = command
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        files.append(word)
        continue
      }
      let name = String(word.dropFirst(2))
      guard Self.known.contains(name), let value = rest.popFirst() else {
        throw GeneratorError(Generator.usage)
      }
      options[name, default: []].append(value)
    }
  }

  func required(_ name: String) throws -> String {
    guard let value = options[name]?.last else { throw GeneratorError("--\(name) is missing") }
    return value
  }

  func optional(_ name: String) -> String? { options[name]?.last }

  func all(_ name: String) -> [String] { options[name] ?? [] }
}
