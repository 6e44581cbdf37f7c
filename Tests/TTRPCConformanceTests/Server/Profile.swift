import Foundation

/// What a server can be asked for beyond answering calls.
struct Capabilities: OptionSet, Sendable {
  var rawValue: Int

  /// Streams of messages.
  static let streams = Capabilities(rawValue: 1)
  /// Frames of type 4 end a call.
  static let cancel = Capabilities(rawValue: 2)
  /// Deadlines end streams, and calls whose handlers do not look at them.
  static let deadlines = Capabilities(rawValue: 4)
  /// What one peer can make it hold is bounded.
  static let limits = Capabilities(rawValue: 8)
  /// Running calls are answered though their caller's end is closed for writing.
  static let halfClose = Capabilities(rawValue: 16)
  /// The text of an error without a status stays with the server.
  static let discretion = Capabilities(rawValue: 32)
  /// The server is ours, in this process: it can be asked what it holds, and be given limits.
  static let inProcess = Capabilities(rawValue: 64)
  /// An id below the highest one is accepted, once.
  static let idsOutOfOrder = Capabilities(rawValue: 128)
}

/// What kind of server is tested.
enum Profile: String, Sendable {
  /// One that has all that ours has.
  case full
  /// containerd's: streams as the protocol's text has them, and nothing more.
  case go
  /// containerd's before its version 1.2.
  case goUnary = "go-unary"

  /// The socket of another server than ours, if one is to be tested.
  static let foreignSocket = ProcessInfo.processInfo.environment["TTRPC_CONFORMANCE_SOCKET"]

  /// The one that was asked for.
  static let current: Profile = {
    guard let name = ProcessInfo.processInfo.environment["TTRPC_CONFORMANCE_PROFILE"] else {
      return .full
    }
    guard let profile = Profile(rawValue: name) else {
      fatalError("TTRPC_CONFORMANCE_PROFILE: \(name) is none of full, go, go-unary")
    }
    return profile
  }()

  var capabilities: Capabilities {
    let wire: Capabilities =
      switch self {
      case .full:
        [
          .streams, .cancel, .deadlines, .limits, .halfClose, .discretion, .idsOutOfOrder,
        ]
      case .go: .streams
      case .goUnary: []
      }
    return Self.foreignSocket == nil ? wire.union(.inProcess) : wire
  }

  var cutsAtHalfClose: Bool { !capabilities.contains(.halfClose) }
}
