internal import ArgumentParser

/// The address that browsers use for the console: a scheme and a host, with a port if it is not the
/// scheme's own.
struct PublicURL: Equatable {
  /// A Boolean value that indicates whether browsers use TLS.
  var isSecure: Bool
  /// The host and the port as browsers send them in the header `Host`.
  var authority: String

  /// The value of the header `Origin` of the console's own pages.
  var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }
}

extension PublicURL: ExpressibleByArgument, CustomStringConvertible {
  init?(argument: String) {
    let lowercased = argument.lowercased()
    let secure = "https://"
    let plain = "http://"
    guard lowercased.hasPrefix(secure) || lowercased.hasPrefix(plain) else { return nil }
    isSecure = lowercased.hasPrefix(secure)
    var rest = lowercased.dropFirst(isSecure ? secure.count : plain.count)
    if rest.hasSuffix("/") { rest.removeLast() }
    guard !rest.isEmpty, rest.utf8.allSatisfy(Self.isAllowed) else { return nil }
    authority = String(rest)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "["),
      UInt8(ascii: "]"):
      true
    default: false
    }
  }

  var description: String { origin }
}
