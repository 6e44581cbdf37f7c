public import ProtobufC

/// One method of a service: its bare name, its shape, and what answers it.
///
/// A request that cannot be read is answered with ``StatusCode/internalError`` and never reaches the
/// handler. A handler ends a call with a status by throwing ``RPCError``; any other error is
/// ``StatusCode/unknown`` to the caller, and its text goes to the log alone.
public struct Method: Sendable {
  /// The name in the `.proto` file.
  public let name: String
  let handler: Handler

  /// Reads a request where it lies, and hands its response over to be written.
  @usableFromInline typealias ImmediateHandler =
    @Sendable (
      UnsafeRawBufferPointer, ServerContext, (borrowing Serializer) throws -> Void
    ) throws -> Void

  /// Takes the answer to a call, once, from any thread.
  public typealias Answer<Response> = @Sendable (Result<Response, RPCError>) -> Void

  /// Tells a handler that nobody waits for its answer any more. It gives one all the same.
  public typealias GivingUp = @Sendable () -> Void

  /// Reads a request where it lies, and has it answered later.
  typealias DeferredHandler =
    @Sendable (UnsafeRawBufferPointer, ServerContext, @escaping Answer<[UInt8]>) throws -> GivingUp

  private init(name: String, handler: Handler) {
    self.name = name
    self.handler = handler
  }

  @usableFromInline init(name: String, immediately handler: @escaping ImmediateHandler) {
    unsafe self.init(name: name, handler: .immediate(handler))
  }

  /// What answers a call, in bytes.
  @safe enum Handler: Sendable {
    case immediate(ImmediateHandler)
    case deferred(DeferredHandler)
    case unary(@Sendable ([UInt8], ServerContext) async throws -> [UInt8])
    case serverStreaming(@Sendable ([UInt8], StreamWriter, ServerContext) async throws -> Void)
    case clientStreaming(@Sendable (InboundQueue, ServerContext) async throws -> [UInt8])
    case bidirectional(@Sendable (InboundQueue, StreamWriter, ServerContext) async throws -> Void)
  }

  public var shape: CallShape {
    switch handler {
    case .immediate, .deferred, .unary: .unary
    case .serverStreaming: .serverStreaming
    case .clientStreaming: .clientStreaming
    case .bidirectional: .bidirectional
    }
  }

  /// A method with one request and one response.
  public static func unary<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) -> Method {
    Method(
      name: name,
      handler: .unary { payload, context in
        let request = try Request(requestPayload: payload)
        return try await handler(request, context).serialized()
      })
  }

  /// A method with one request and one response, that is answered from memory: its handler waits for
  /// nothing, and is over before the connection does anything else. It costs a call no task.
  @inlinable public static func immediate<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler: @escaping @Sendable (Request, ServerContext) throws -> Response
  ) -> Method {
    unsafe Method(name: name) { payload, context, write in
      let request: Request
      do throws(ProtobufError) {
        request = try unsafe Request(serialized: payload)
      } catch {
        throw RPCError(unreadable: Request.fullName, error)
      }
      try handler(request, context).withSerializer(write)
    }
  }

  /// A method with one request and one response, whose handler starts something that answers later: it
  /// returns at once, and the answer comes from whatever thread has it, with no task in between.
  ///
  /// - Parameter handler: Runs on the connection's event loop, and should be quick. Where it throws, that
  ///   is the answer, and it gives no other. What it returns is called when the call has ended without it.
  public static func deferred<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler:
      @escaping @Sendable (Request, ServerContext, @escaping Answer<Response>) throws -> GivingUp
  ) -> Method {
    unsafe Method(
      name: name,
      handler: .deferred { payload, context, answer in
        let request = try unsafe Request(requestPayload: payload)
        return try handler(request, context) { answer($0.map { $0.serialized() }) }
      })
  }

  /// A method with one request and any number of responses. The handler's return ends them.
  public static func serverStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler:
      @escaping @Sendable (Request, ResponseWriter<Response>, ServerContext) async throws -> Void
  ) -> Method {
    Method(
      name: name,
      handler: .serverStreaming { payload, writer, context in
        let request = try Request(requestPayload: payload)
        try await handler(request, ResponseWriter(writer), context)
      })
  }

  /// A method with any number of requests and one response, which may come before the last request.
  public static func clientStreaming<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler: @escaping @Sendable (MessageStream<Request>, ServerContext) async throws -> Response
  ) -> Method {
    Method(
      name: name,
      handler: .clientStreaming { inbound, context in
        try await handler(MessageStream(inbound, traffic: context.traffic), context).serialized()
      })
  }

  /// A method with any number of requests and responses. The handler's return ends both.
  public static func bidirectional<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler:
      @escaping @Sendable (
        MessageStream<Request>, ResponseWriter<Response>, ServerContext
      ) async throws -> Void
  ) -> Method {
    Method(
      name: name,
      handler: .bidirectional { inbound, writer, context in
        try await handler(
          MessageStream(inbound, traffic: context.traffic), ResponseWriter(writer), context)
      })
  }
}

extension ProtobufMessage {
  fileprivate init(requestPayload payload: [UInt8]) throws(RPCError) {
    do {
      self = try Self(serialized: payload)
    } catch {
      throw RPCError(unreadable: Self.fullName, error)
    }
  }

  fileprivate init(requestPayload payload: UnsafeRawBufferPointer) throws(RPCError) {
    do {
      self = try unsafe Self(serialized: payload)
    } catch {
      throw RPCError(unreadable: Self.fullName, error)
    }
  }
}

extension RPCError {
  /// A request that is no message of its type.
  @usableFromInline init(unreadable messageName: String, _ error: ProtobufError) {
    self.init(
      code: .internalError, message: "the request is no \(messageName): \(error)", cause: error)
  }
}

/// Sends a stream of responses.
public struct ResponseWriter<Message: ProtobufMessage>: Sendable {
  private let writer: StreamWriter

  init(_ writer: StreamWriter) {
    self.writer = writer
  }

  /// Sends a message. Suspends while the peer has not read what was sent before.
  ///
  /// - Throws: ``StatusCode/resourceExhausted`` for a message above the size limit, which is not sent;
  ///   otherwise why the call has ended.
  public func write(_ message: Message) async throws(RPCError) {
    try await writer.write(message)
  }
}
