internal import Dispatch
internal import Glibc

/// A datagram socket that receives messages, as a service manager does.
public final class DatagramListener: Sendable {
  private let descriptor: Int32
  private let queue = DispatchQueue(label: "datagram listener")

  /// Creates a socket with an address.
  ///
  /// - Parameter name: A path that does not exist yet, or `@` and an abstract name.
  public init(_ name: String) throws(RawPeer.Failure) {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw RawPeer.Failure(description: "cannot create a socket") }
    var timeout = timeval(tv_sec: Int(testTimeout.components.seconds), tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      unsafe bytes.copyBytes(from: name.utf8.prefix(107))
      if name.hasPrefix("@") { unsafe bytes[0] = 0 }
    }
    // The length of the address determines the length of an abstract name.
    let length =
      name.hasPrefix("@")
      ? MemoryLayout<sa_family_t>.size + name.utf8.count : MemoryLayout<sockaddr_un>.size
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe bind(descriptor, rebound, socklen_t(length))
      }
    }
    guard result == 0 else {
      close(descriptor)
      throw RawPeer.Failure(description: "cannot bind \(name)")
    }
  }

  deinit {
    close(descriptor)
  }

  /// Waits for the next datagram, for at most ``testTimeout``.
  public func receive() async throws -> String {
    let bytes = await withCheckedContinuation { continuation in
      queue.async { [descriptor] in
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
        continuation.resume(returning: count >= 0 ? Array(bytes.prefix(count)) : nil)
      }
    }
    guard let bytes else { throw RawPeer.Failure(description: "no datagram has arrived") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
