internal import NIOConcurrencyHelpers
internal import ProtobufC

/// The closure that runs a handler on serialized messages, inside the interceptors.
typealias Work = @Sendable (ServerContext) async throws -> [UInt8]

extension Method.Handler {
  /// Returns the closure that runs the handler.
  ///
  /// - Parameters:
  ///   - payload: The request, unless requests are a stream.
  ///   - requests: The queue of the requests, if they are a stream.
  ///   - writer: Makes the writer of the responses, if they are a stream.
  ///   - check: Counts a single response, or throws if it exceeds the size limit.
  func work(
    _ payload: [UInt8], requests: InboundQueue?, writer: () -> StreamWriter,
    check: @escaping @Sendable ([UInt8]) throws(RPCError) -> [UInt8]
  ) -> Work {
    switch self {
    case .immediate(let handler):
      return { context in
        var response: [UInt8] = []
        try unsafe payload.withUnsafeBytes { payload in
          try unsafe handler(payload, context) { response = $0.bytes() }
        }
        return try check(response)
      }
    case .deferred(let handler):
      return { context in
        try check(try unsafe await Self.response(payload, context, handler))
      }
    case .unary(let handler):
      return { context in try check(try await handler(payload, context)) }
    case .serverStreaming(let handler):
      let writer = writer()
      return { context in
        try await handler(payload, writer, context)
        return []
      }
    case .clientStreaming(let handler):
      guard let requests else { preconditionFailure("requests are a stream") }
      return { context in try check(try await handler(requests, context)) }
    case .bidirectional(let handler):
      guard let requests else { preconditionFailure("requests are a stream") }
      let writer = writer()
      return { context in
        try await handler(requests, writer, context)
        return []
      }
    }
  }

  /// Returns the response of a deferred call to a task that waits for it.
  private static func response(
    _ payload: [UInt8], _ context: ServerContext, _ handler: Method.DeferredHandler
  ) async throws -> [UInt8] {
    let cancel = NIOLockedValueBox<Method.Cancellation?>(nil)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        do {
          let cancelHandler = try unsafe payload.withUnsafeBytes { payload in
            try unsafe handler(payload, context) { continuation.resume(with: $0) }
          }
          cancel.withLockedValue { $0 = cancelHandler }
          if Task.isCancelled { cancelHandler() }
        } catch {
          continuation.resume(throwing: error)
        }
      }
    } onCancel: {
      cancel.withLockedValue { $0 }?()
    }
  }
}

extension ServerInterceptorChain {
  /// Executes a call inside the interceptors.
  ///
  /// The outcome is the reason if the call has ended early, and otherwise the handler's response or
  /// status.
  func outcome(
    of work: (ServerContext) async throws -> [UInt8], _ context: ServerContext
  ) async -> Result<[UInt8], RPCError> {
    do throws(RPCError) {
      return .success(
        try await run(context) { context throws(RPCError) in
          do {
            let response = try await work(context)
            if let ending = context.call.ending { throw ending }
            return response
          } catch {
            throw context.call.ending ?? RPCError(handlerError: error, logger: context.logger)
          }
        })
    } catch {
      return .failure(error)
    }
  }
}
