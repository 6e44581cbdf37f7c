internal import ArgumentParser

/// The address on which the console listens.
enum ListenAddress: Equatable {
  case tcp(host: String, port: Int)
  case unixSocket(path: String)

  var isUnixSocket: Bool {
    if case .unixSocket = self { return true }
    return false
  }
}

extension ListenAddress: ExpressibleByArgument, CustomStringConvertible {
  /// The maximum length of a socket's path, in bytes.
  static let maximumPathLength = 107

  /// Parses `127.0.0.1:8085`, `[::1]:8085`, `localhost:8085` or `unix:/run/console.sock`.
  ///
  /// Any other host than a loopback address is refused: the console has no encryption, and its
  /// token would cross the network.
  init?(argument: String) {
    if argument.hasPrefix("unix:") {
      let path = String(argument.dropFirst("unix:".count))
      guard path.hasPrefix("/"), path.utf8.count <= Self.maximumPathLength else { return nil }
      self = .unixSocket(path: path)
      return
    }
    guard let colon = argument.lastIndex(of: ":"),
      let port = PublicURL.port(argument[argument.index(after: colon)...])
    else { return nil }
    switch argument[..<colon] {
    case "127.0.0.1", "localhost": self = .tcp(host: "127.0.0.1", port: Int(port))
    case "[::1]": self = .tcp(host: "::1", port: Int(port))
    default: return nil
    }
  }

  var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unixSocket(let path): "unix:\(path)"
    }
  }
}
