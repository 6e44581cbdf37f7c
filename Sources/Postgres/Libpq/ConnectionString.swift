import CLibPQ

/// A parsed database URL: libpq's keywords and values.
struct ConnectionString: Sendable {
  /// The values that the URL sets, by keyword.
  private(set) var values: [String: String]

  /// Parses a `postgresql://` URL, or libpq's `keyword=value …` form.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/invalidConfiguration``. Its detail omits
  ///   the parts of the URL that libpq quotes, because they may contain the password.
  init(parsing url: String) throws(PostgresError) {
    guard !url.utf8.contains(0) else { throw Self.malformed("it contains the character U+0000") }
    var message: UnsafeMutablePointer<CChar>?
    guard let options = unsafe PQconninfoParse(url, &message) else {
      let text = unsafe message.map { unsafe String(cString: $0) } ?? "out of memory"
      unsafe PQfreemem(message)
      throw Self.malformed(Self.withoutQuotations(text))
    }
    defer { unsafe PQconninfoFree(options) }
    values = [:]
    var option = unsafe options
    while let keyword = unsafe option.pointee.keyword {
      if let value = unsafe option.pointee.val {
        unsafe values[String(cString: keyword)] = String(cString: value)
      }
      unsafe option += 1
    }
  }

  /// Sets a keyword unless the URL sets it.
  mutating func setDefault(_ keyword: String, _ value: String) {
    if values[keyword] == nil { values[keyword] = value }
  }

  /// Sets a keyword, overriding the URL.
  mutating func set(_ keyword: String, _ value: String) {
    values[keyword] = value
  }

  /// The same parameters for each of the hosts that the URL names, in its order.
  ///
  /// If the lists of names, addresses and ports do not match, there is one element, with which
  /// libpq reports the mistake.
  var hosts: [ConnectionString] {
    func list(_ keyword: String) -> [String]? {
      values[keyword].map { value in
        value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
    let count = (addresses ?? names)?.count ?? 1
    guard count > 1, names.map({ $0.count == count }) ?? true,
      ports.map({ $0.count == 1 || $0.count == count }) ?? true
    else { return [self] }
    return (0..<count).map { index in
      var host = self
      if let names { host.set("host", names[index]) }
      if let addresses { host.set("hostaddr", addresses[index]) }
      if let ports, ports.count == count { host.set("port", ports[index]) }
      return host
    }
  }

  /// The name or address of the host, for messages.
  var hostName: String { values["host"] ?? values["hostaddr"] ?? "the default host" }

  /// Returns the text without the URL's passwords.
  func redact(_ text: String) -> String {
    var text = text
    for secret in ["password", "sslpassword"] {
      guard let value = values[secret], !value.isEmpty else { continue }
      while let range = text.firstRange(of: value) { text.replaceSubrange(range, with: "…") }
    }
    return text
  }

  private static func malformed(_ reason: String) -> PostgresError {
    PostgresError(
      .invalidConfiguration,
      "the database URL is malformed",
      detail: reason
    )
  }

  private static func withoutQuotations(_ text: String) -> String {
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    let kept = parts.enumerated().map { index, part in index.isMultiple(of: 2) ? part : "…" }
    return kept.joined(separator: "\"").split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
