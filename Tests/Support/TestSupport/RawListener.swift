internal import Dispatch
internal import Glibc

/// A listening Unix socket for tests that send bytes which no server would send.
public final class RawListener: Sendable {
  let descriptor: Int32
  private let queue = DispatchQueue(label: "raw listener")

  /// Listens on a path that does not exist yet.
  ///
  /// - Parameter backlog: The number of connections that can wait to be accepted.
  public init(path: String, backlog: Int32 = 16) throws(RawPeer.Failure) {
    descriptor = try UnixAddress.makeSocket()
    guard unsafe UnixAddress.with(path, { unsafe bind(descriptor, $0, $1) }) == 0,
      listen(descriptor, backlog) == 0
    else {
      close(descriptor)
      throw RawPeer.Failure(description: "cannot listen on \(path)")
    }
  }

  deinit {
    close(descriptor)
  }

  /// Waits for a connection.
  public func accept() async throws -> RawPeer {
    let accepted = await withCheckedContinuation { continuation in
      queue.async { [descriptor] in
        continuation.resume(returning: Glibc.accept(descriptor, nil, nil))
      }
    }
    guard accepted >= 0 else { throw RawPeer.Failure(description: "cannot accept a connection") }
    return RawPeer(descriptor: accepted)
  }

  /// Makes ``accept()`` fail, including a call that waits.
  public func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// Functions for Unix sockets and their addresses.
enum UnixAddress {
  static func makeSocket(flags: Int32 = 0) throws(RawPeer.Failure) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw RawPeer.Failure(description: "cannot create a socket") }
    return descriptor
  }

  static func with(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      unsafe bytes.copyBytes(from: path.utf8.prefix(107))
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe body(rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
