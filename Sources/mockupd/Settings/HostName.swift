internal import Glibc

/// The name of the host, by which operators tell the servers of a database apart.
enum HostName {
  /// The name, or `localhost` if the host has none.
  ///
  /// It is cut to 40 bytes: PostgreSQL keeps 63 bytes of an application name.
  static let current: String = {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    let bytes = name.prefix { $0 != 0 }.prefix(40).map(UInt8.init(bitPattern:))
    return bytes.isEmpty ? "localhost" : String(decoding: bytes, as: UTF8.self)
  }()
}
