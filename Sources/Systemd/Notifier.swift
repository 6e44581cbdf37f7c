internal import Glibc

/// The way to the manager that waits for a service's word, as sd_notify(3) describes it: a datagram
/// socket, named by `NOTIFY_SOCKET`.
public struct Notifier: Sendable {
  /// A path, or an abstract name after its `@`; nothing where nobody waits.
  private let address: String?

  /// Reads `NOTIFY_SOCKET`, once: it is gone afterwards. Call it before there are threads that read the
  /// environment.
  ///
  /// - Throws: Where it is neither an absolute path nor an abstract name, or too long for a socket.
  public static func take() throws(SystemdError) -> Notifier {
    try Notifier(address: EnvironmentVariable.take(["NOTIFY_SOCKET"])["NOTIFY_SOCKET"])
  }

  init(address: String?) throws(SystemdError) {
    if let address {
      guard address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1 else {
        throw .malformed("NOTIFY_SOCKET", address, "neither a path from / nor a name after @")
      }
      guard address.utf8.count <= Self.maximumLength else {
        throw .malformed(
          "NOTIFY_SOCKET", address, "which is longer than \(Self.maximumLength) bytes")
      }
    }
    self.address = address
  }

  /// Whether anybody waits.
  public var isHeard: Bool { address != nil }

  /// Says all of it at once. Does nothing where nobody waits, and never blocks.
  ///
  /// - Throws: What the system says where it cannot be delivered, also where the manager has not read
  ///   what it was told before.
  public func notify(_ notifications: [Notification]) throws(SystemdError) {
    guard let address else { return }
    let now = Notification.now
    try send(notifications.map { $0.lines(now: now) }.joined(separator: "\n"), to: address)
  }

  private func send(_ message: String, to address: String) throws(SystemdError) {
    func failure(_ call: String) -> SystemdError {
      let reason = unsafe String(cString: strerror(errno))
      return SystemdError(description: "cannot notify \(address): \(call): \(reason)")
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("socket") }
    defer { close(descriptor) }
    let bytes = Array(message.utf8)
    let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
    let sent = unsafe Self.withAddress(address) { pointer, length in
      unsafe sendto(descriptor, bytes, bytes.count, flags, pointer, length)
    }
    guard sent == bytes.count else { throw failure("sendto") }
  }

  /// A path needs a zero at its end; a name has one at its beginning, where it is written `@`.
  private static let maximumLength = 107

  private static func withAddress(
    _ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int
  ) -> Int {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isAbstract = name.hasPrefix("@")
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      unsafe bytes.copyBytes(from: name.utf8.prefix(maximumLength))
      if isAbstract { unsafe bytes[0] = 0 }
    }
    // An abstract name is as long as the address says: zeros after it would be part of it.
    let length = MemoryLayout<sa_family_t>.size + name.utf8.count + (isAbstract ? 0 : 1)
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe body(rebound, socklen_t(length))
      }
    }
  }
}
