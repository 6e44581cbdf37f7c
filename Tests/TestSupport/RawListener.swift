internal import Glibc
internal import Dispatch

/// A Unix socket that accepts connections one by one: for what stands between two ends of a wire.
public final class RawListener: Sendable {
  private let descriptor: Int32
  private let queue = DispatchQueue(label: "raw listener")

  /// Listens at a path where nothing is yet.
  public init(path: String) throws(RawPeer.Failure) {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw RawPeer.Failure(description: "socket") }
    let isListening =
      unsafe RawPeer.withAddress(path) { unsafe bind(descriptor, $0, $1) } == 0
      && listen(descriptor, 16) == 0
    guard isListening else {
      close(descriptor)
      throw RawPeer.Failure(description: "cannot listen at \(path)")
    }
  }

  deinit {
    close(descriptor)
  }

  /// Waits for the next connection.
  public func accept() async throws -> RawPeer {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [descriptor] in
        let accepted = Glibc.accept(descriptor, nil, nil)
        continuation.resume(
          with: accepted >= 0
            ? .success(RawPeer(descriptor: accepted))
            : .failure(RawPeer.Failure(description: "accept")))
      }
    }
  }

  /// Makes ``accept()`` fail, also one that waits.
  public func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
