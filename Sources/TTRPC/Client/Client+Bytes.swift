extension Client {
  /// Calls a method of any shape with serialized messages.
  ///
  /// It is for programs that learn the message types at run time.
  ///
  /// - Parameters:
  ///   - method: The method's names and shape, for example from the server's reflection service.
  ///   - requests: The serialized requests, each of which is sent as soon as the sequence returns
  ///     it. A method with one request gets the first one, or an empty one if there is none.
  ///   - options: The options of the call. The timeout includes the time to read `requests`. A
  ///     single request is read before the call starts, however long that takes.
  ///   - onResponse: Called with each serialized response, in order.
  /// - Throws: The errors of `requests` and `onResponse`; ``RPCError`` if the call fails.
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
            // If reading or sending the requests failed, that error ended the call: throw it.
            group.cancelAll()
            try await group.waitForAll()
            throw error
          }
          // The server may have ended the call before all requests were sent.
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

  /// Sends requests until there are no more or the call ends.
  private static func send<Requests: AsyncSequence>(
    _ requests: Requests, to writer: StreamWriter, of exchange: ClientExchange
  ) async throws where Requests.Element == [UInt8] {
    do {
      for try await request in requests { try await writer.write(serialized: request) }
      try await writer.finish()
    } catch let error as RPCError where error.code == .cancelled {
      // The call has ended, and the reading task reports its status.
    } catch {
      exchange.abandon(RPCError(code: .cancelled, message: "cannot read or send the requests"))
      throw error
    }
  }
}
