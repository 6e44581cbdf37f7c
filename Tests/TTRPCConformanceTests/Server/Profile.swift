import Foundation

/// The optional features of a server.
struct Capabilities: OptionSet, Sendable {
  var rawValue: Int

  /// Streams of messages.
  static let streams = Capabilities(rawValue: 1)
  /// Frames of type 4 (Cancel) end a call.
  static let cancel = Capabilities(rawValue: 2)
  /// The server enforces deadlines, even if a handler ignores them.
  static let deadlines = Capabilities(rawValue: 4)
  /// The memory that a peer can occupy is limited.
  static let limits = Capabilities(rawValue: 8)
  /// The calls in flight of a half-closed client are answered.
  static let halfClose = Capabilities(rawValue: 16)
  /// The text of an error without a status is not sent to the client.
  static let hidesErrorText = Capabilities(rawValue: 32)
  /// The server is this library's, in this process, so that cases can set limits and read its load.
  static let inProcess = Capabilities(rawValue: 64)
  /// A skipped id below the highest one is accepted once.
  static let idsOutOfOrder = Capabilities(rawValue: 128)
}

/// The kind of server under test.
enum Profile: String, Sendable {
  /// A server with all features of this library's server.
  case full
  /// containerd's server, which has streams as the protocol specifies them and no other feature.
  case go
  /// containerd's server before version 1.2, which has no streams.
  case goUnary = "go-unary"

  /// The socket of a foreign server to test; nil to test this library's server.
  static let foreignSocket = ProcessInfo.processInfo.environment["TTRPC_CONFORMANCE_SOCKET"]

  /// The profile of the server under test, from `TTRPC_CONFORMANCE_PROFILE`.
  static let current: Profile = {
    guard let name = ProcessInfo.processInfo.environment["TTRPC_CONFORMANCE_PROFILE"] else {
      return .full
    }
    guard let profile = Profile(rawValue: name) else {
      fatalError("invalid TTRPC_CONFORMANCE_PROFILE \"\(name)\": use full, go or go-unary")
    }
    return profile
  }()

  var capabilities: Capabilities {
    let wire: Capabilities =
      switch self {
      case .full:
        [
          .streams, .cancel, .deadlines, .limits, .halfClose, .hidesErrorText, .idsOutOfOrder,
        ]
      case .go: .streams
      case .goUnary: []
      }
    return Self.foreignSocket == nil ? wire.union(.inProcess) : wire
  }

  var cutsAtHalfClose: Bool { !capabilities.contains(.halfClose) }
}
