/// What is fuzzed.
enum Target: String, CaseIterable {
  /// A server's connection, by its peer's bytes.
  case server
  /// A client's connection, by its server's bytes.
  case client
  /// Messages and frames.
  case messages

  /// Bytes of an input before its records; `nil`: it has none.
  var headCount: Int? {
    switch self {
    case .server: 1
    case .client: 0
    case .messages: nil
    }
  }

  func run(_ input: ArraySlice<UInt8>) throws {
    switch self {
    case .server: try ServerRun().run(input)
    case .client: try ClientRun().run(input)
    case .messages: MessageRun.run(input)
    }
  }
}
