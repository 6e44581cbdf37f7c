/// A target of the fuzzer.
enum Target: String, CaseIterable {
  /// A connection of the server, with bytes of its peer.
  case server
  /// A connection of the server whose peer speaks gRPC.
  case grpc
  /// A connection of the client, with bytes of its server.
  case client
  /// The decoders of messages and frames.
  case messages

  /// The number of bytes before the records of an input; `nil` if it has no records.
  var headCount: Int? {
    switch self {
    case .server, .grpc: 1
    case .client: 0
    case .messages: nil
    }
  }

  func run(_ input: ArraySlice<UInt8>) throws {
    switch self {
    case .server: try ServerRun().run(input)
    case .grpc: try GRPCRun().run(input)
    case .client: try ClientRun().run(input)
    case .messages: MessageRun.run(input)
    }
  }
}
