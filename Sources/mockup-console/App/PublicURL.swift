internal import ArgumentParser

/// The address that browsers use for the console: a scheme and a host, with a port if it is not the
/// scheme's own.
struct PublicURL: Equatable {
  /// A Boolean value that indicates whether browsers use TLS.
  var isSecure: Bool
  /// The host and the port as browsers send them in the header `Host`: without the scheme's own
  /// port.
  var authority: String

  private static func defaultPort(isSecure: Bool) -> UInt16 { isSecure ? 443 : 80 }

  /// The value of the header `Origin` of the console's own pages.
  var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }

  /// Returns true if a value of the header `Host`, in lower case, is that of this address.
  ///
  /// Unlike browsers, other programs may send the scheme's own port.
  func hasAuthority(_ authority: String) -> Bool {
    Self.authority(authority[...], isSecure: isSecure) == self.authority
  }
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
    guard let authority = Self.authority(rest, isSecure: isSecure) else { return nil }
    self.authority = authority
  }

  /// Returns a host and its port without the scheme's own port; `nil` if they are not valid.
  private static func authority(_ text: Substring, isSecure: Bool) -> String? {
    // An IPv6 address contains colons, and is in brackets.
    let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : nil
    let host = text[..<(end ?? text.firstIndex(of: ":") ?? text.endIndex)]
    guard end == nil ? isName(host) : isIPv6(host) else { return nil }
    let rest = text[host.endIndex...]
    guard !rest.isEmpty else { return String(host) }
    guard rest.first == ":", let port = Self.port(rest.dropFirst()), port > 0 else { return nil }
    return port == defaultPort(isSecure: isSecure) ? String(host) : "\(host):\(port)"
  }

  /// Parses the number of a port, without a sign.
  static func port(_ text: Substring) -> UInt16? {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return text.utf8.allSatisfy(digits.contains) ? UInt16(text) : nil
  }

  private static func isName(_ host: Substring) -> Bool {
    !host.isEmpty
      && host.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "."), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private static func isIPv6(_ host: Substring) -> Bool {
    host.utf8.count > 2
      && host.utf8.dropFirst().dropLast().allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: ":"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  var description: String { origin }
}
