internal import CLinux
internal import ServiceLifecycle
internal import TTRPC

/// Gives memory back to the system: after the start, the code that only it has used; after a rush, what
/// many connections have held, which the allocator would keep for a next rush that may not come.
struct MemoryService: ServiceLifecycle.Service, CustomStringConvertible {
  static let interval: Duration = .seconds(1)

  let load: ServerLoad

  var description: String { "memory" }

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      try await Task.sleep(for: Self.interval)
      clinux_release_code()
      var most = 0
      while !Task.isCancelled {
        let connections = load.openConnections
        most = max(most, connections)
        // Fewer than half of what there were: the rush is over.
        if connections < most / 2 {
          clinux_release_free_memory()
          most = connections
        }
        try await Task.sleep(for: Self.interval)
      }
    }
  }
}
