internal import CLinux
internal import ServiceLifecycle
internal import TTRPC

/// The service that returns unused memory to the system.
///
/// After the start it releases the pages of code that only the start has used. Large blocks, such
/// as long messages, are released when they are freed. After a peak of connections it releases the
/// rest of the freed memory, which the allocator would otherwise keep.
struct MemoryService: ServiceLifecycle.Service, CustomStringConvertible {
  static let interval: Duration = .seconds(1)

  let load: ServerLoad

  var description: String { "memory" }

  func run() async throws {
    clinux_release_large_blocks()
    try? await cancelWhenGracefulShutdown {
      try await Task.sleep(for: Self.interval)
      clinux_release_code()
      var peak = 0
      while !Task.isCancelled {
        let connections = load.openConnections
        peak = max(peak, connections)
        // The peak is over when fewer than half of its connections are left.
        if connections < peak / 2 {
          clinux_release_free_memory()
          peak = connections
        }
        try await Task.sleep(for: Self.interval)
      }
    }
  }
}
