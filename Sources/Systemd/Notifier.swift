internal import Glibc

/// A sender of notifications to the service manager.
///
/// It uses the datagram socket that `NOTIFY_SOCKET` names. Source: sd_notify(3).
public struct Notifier: Sendable {
  /// The address of the manager's socket: an absolute path, or `@` and an abstract name.
  ///
  /// It is nil if no manager expects notifications.
  private let address: String?

  /// Creates a notifier from `NOTIFY_SOCKET` and unsets the variable.
  ///
  /// Call it once, before other threads read the environment.
  ///
  /// - Throws: ``SystemdError`` if the variable is neither an absolute path nor `@` and an abstract
  ///   name, or is too long for a socket's address.
  public static func take() throws(SystemdError) -> Notifier {
    try Notifier(address: EnvironmentVariable.take(["NOTIFY_SOCKET"])["NOTIFY_SOCKET"])
  }

  init(address: String?) throws(SystemdError) {
    if let address {
      guard address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1 else {
        throw .malformed("NOTIFY_SOCKET", address, "neither an absolute path nor @ and a name")
      }
      guard address.utf8.count <= Self.maximumLength else {
        throw .malformed(
          "NOTIFY_SOCKET", address, "longer than \(Self.maximumLength) bytes")
      }
    }
    self.address = address
  }

  /// True if a service manager expects notifications.
  public var isHeard: Bool { address != nil }

  /// Sends notifications in one message.
  ///
  /// The method never blocks. It has no effect if no manager expects notifications.
  ///
  /// - Throws: ``SystemdError`` with the system's reason if the message cannot be sent, for example
  ///   because the manager has not read earlier messages and the socket's queue is full.
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

  /// The maximum length of an address in bytes; a path also needs a terminating zero.
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
    // The length delimits an abstract name: trailing zeros would be part of the name.
    let length = MemoryLayout<sa_family_t>.size + name.utf8.count + (isAbstract ? 0 : 1)
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe body(rebound, socklen_t(length))
      }
    }
  }
}
