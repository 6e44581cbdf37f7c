import TestSupport

/// Stands between a client and a server, and loses answers: the request arrives, the connection is cut.
struct LossyProxy: Sendable {
  let listener: RawListener
  let server: String

  /// Passes calls on, one after the other, until the listener stops.
  ///
  /// - Parameters:
  ///   - losing: How many answers to lose before the first one that arrives, for each method whose name
  ///     is in the request.
  ///   - before: Runs before a request of the method is passed on.
  func run(
    losing count: Int, of method: String, before: @Sendable () async -> Void = {}
  ) async {
    var toLose = count
    while let client = try? await listener.accept() {
      do {
        try await serve(client, &toLose, Array(method.utf8), before)
      } catch {
        // One of the two ends is gone, and with it the connection.
        continue
      }
    }
  }

  private func serve(
    _ client: RawPeer, _ toLose: inout Int, _ method: [UInt8],
    _ before: @Sendable () async -> Void
  ) async throws {
    let onward = try RawPeer(path: server)
    while let request = try await client.receiveFrame() {
      let isMethod = request.firstRange(of: method) != nil
      if isMethod { await before() }
      try await onward.send(request)
      guard let answer = try await onward.receiveFrame() else { return }
      if toLose > 0, isMethod {
        toLose -= 1
        return
      }
      try await client.send(answer)
    }
  }
}
