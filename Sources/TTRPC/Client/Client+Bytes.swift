extension Client {
  /// Calls a method of any shape with messages that are bytes already, for programs that learn of
  /// their types at run time.
  ///
  /// - Parameters:
  ///   - requests: Sent as they come. A method with one request takes the first, or an empty one.
  ///   - onResponse: Runs for each response, in order.
  /// - Throws: What `requests` and `onResponse` throw; ``RPCError`` as the call ends.
  public func call<Requests: AsyncSequence & Sendable>(
    _ method: MethodDescriptor, serialized requests: Requests,
    options: CallOptions = CallOptions(), onResponse: ([UInt8]) async throws -> Void
  ) async throws where Requests.Element == [UInt8] {
    try await scope(method, options) { context in
      let payload = method.shape.streamsRequests ? [] : try await Self.first(of: requests)
      let exchange = try start(context, payload: payload)
      try await exchange.cancelledAfterwards {
        try await withThrowingTaskGroup(of: Void.self) { group in
          if method.shape.streamsRequests {
            let writer = try await exchange.writer()
            group.addTask { try await Self.send(requests, to: writer, of: exchange) }
          }
          do {
            try await Self.receive(method.shape, exchange, context.traffic, onResponse)
          } catch {
            // Requests that cannot be read or sent have ended the call, and are the reason.
            group.cancelAll()
            try await group.waitForAll()
            throw error
          }
          // The server may have ended the call without all requests.
          group.cancelAll()
        }
      }
    }
  }

  private static func receive(
    _ shape: CallShape, _ exchange: ClientExchange, _ traffic: CallTraffic,
    _ onResponse: ([UInt8]) async throws -> Void
  ) async throws {
    guard shape.streamsResponses else {
      let response = try await exchange.outcome()
      traffic.received(response.count)
      return try await onResponse(response)
    }
    while let response = try await exchange.inbound.next() {
      traffic.received(response.count)
      try await onResponse(response)
    }
  }

  private static func first<Requests: AsyncSequence>(
    of requests: Requests
  ) async throws -> [UInt8] where Requests.Element == [UInt8] {
    for try await request in requests { return request }
    return []
  }

  /// Sends requests until the server has had enough.
  private static func send<Requests: AsyncSequence>(
    _ requests: Requests, to writer: StreamWriter, of exchange: ClientExchange
  ) async throws where Requests.Element == [UInt8] {
    do {
      for try await request in requests { try await writer.write(serialized: request) }
      try await writer.finish()
    } catch let error as RPCError where error.code == .cancelled {
      // How the call has ended, its reader is told.
    } catch {
      exchange.abandon(RPCError(code: .cancelled, message: "the requests cannot be sent"))
      throw error
    }
  }
}
