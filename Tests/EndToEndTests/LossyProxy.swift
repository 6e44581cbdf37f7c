import TestSupport

/// A proxy between a client and a server that loses responses.
///
/// To lose a response, it forwards the request to the server and then closes the connection to the
/// client.
struct LossyProxy: Sendable {
  let listener: RawListener
  let server: String

  /// Forwards calls one after the other until the listener stops.
  ///
  /// - Parameters:
  ///   - count: The number of responses to lose before the first one is delivered.
  ///   - method: The method whose responses are lost. A request belongs to it if its bytes contain
  ///     the method's name.
  ///   - before: Runs before a request of the method is forwarded.
  func run(
    losing count: Int, of method: String, before: @Sendable () async -> Void = {}
  ) async {
    var toLose = count
    while let client = try? await listener.accept() {
      do {
        try await serve(client, &toLose, Array(method.utf8), before)
      } catch {
        // The client or the server closed the connection.
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
