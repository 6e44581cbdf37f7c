import Foundation
import Logging
import TestSupport
import Testing

@testable import TTRPC

/// Listeners on inherited sockets.
@Suite struct InheritedListenerTests {
  /// Creates a socket, and binds it if a path is given.
  private static func makeSocket(
    _ domain: Int32 = AF_UNIX, _ type: __socket_type = SOCK_STREAM, at path: String? = nil,
    listening: Bool = true
  ) throws -> Int32 {
    let descriptor = socket(domain, Int32(type.rawValue), 0)
    try #require(descriptor >= 0)
    if let path {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
      // The length of the address determines the length of an abstract name.
      let size =
        path.hasPrefix("\0")
        ? MemoryLayout<sa_family_t>.size + path.utf8.count : MemoryLayout<sockaddr_un>.size
      let result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
          unsafe bind(descriptor, rebound, socklen_t(size))
        }
      }
      try #require(result == 0)
    }
    if listening { try #require(listen(descriptor, 8) == 0) }
    return descriptor
  }

  private static func refusal(of descriptor: Int32) -> String? {
    do throws(UnixListener.Failure) {
      try UnixListener(inherited: descriptor).close()
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func `an inherited socket is served at its path, and its file is unchanged`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let descriptor = try Self.makeSocket(at: path)
      try #require(unsafe chmod(path, 0o604) == 0)
      let listener = try UnixListener(inherited: descriptor)
      #expect(listener.path == path)
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
      #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
      #expect(throws: Never.self) { try RawPeer(path: path) }
      listener.close()
      #expect(throws: RawPeer.Failure.self) { try RawPeer(path: path) }
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o604)
    }
  }

  @Test func `a descriptor that is not a listening Unix socket with a path is refused`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let refused: [(descriptor: Int32, reason: String)] = [
        (unsafe open("/dev/null", O_RDONLY | O_CLOEXEC), "not a socket"),
        (try Self.makeSocket(AF_INET), "not a Unix socket"),
        (
          try Self.makeSocket(AF_UNIX, SOCK_DGRAM, listening: false), "not a stream socket"
        ),
        (try Self.makeSocket(at: "\(folder)/idle", listening: false), "not listening"),
        (try Self.makeSocket(at: "\0mockupd-\(UUID())"), "not bound to a path in the file system"),
        (1 << 20, "Bad file descriptor"),
      ]
      for (descriptor, reason) in refused {
        #expect(Self.refusal(of: descriptor) == reason)
      }
    }
  }

  @Test func `a server answers on an inherited socket and keeps its file`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let descriptor = try Self.makeSocket(at: path)
      // Connects before the server starts, as the first client does under socket activation.
      let peer = try RawPeer(path: path)
      try await peer.send(Golden.echoRequest)

      var logger = Logger(label: "test")
      logger.logLevel = .critical
      let server = Server(services: [TestService()], logger: logger)
      async let serving: Void = server.run(on: UnixListener(inherited: descriptor))
      #expect(try await peer.receiveFrame() == Golden.echoResponse)
      server.drain()
      try await serving
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }
}
