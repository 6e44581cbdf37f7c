public import ProtobufC

/// A method of a service: its name, its shape and its handler.
///
/// If a request cannot be decoded, the handler does not run and the caller gets
/// ``StatusCode/internalError``. A handler ends a call with a status by throwing ``RPCError``. For
/// any other error the caller gets ``StatusCode/unknown``, and the error's text is only logged.
public struct Method: Sendable {
  /// The method's name in the `.proto` file, without the service's name.
  public let name: String
  let handler: Handler

  /// A handler that reads the request in place and passes its response to a writer.
  @usableFromInline typealias ImmediateHandler =
    @Sendable (
      UnsafeRawBufferPointer, ServerContext, (borrowing Serializer) throws -> Void
    ) throws -> Void

  /// Delivers the outcome of a deferred call.
  ///
  /// It must be called exactly once, from any thread.
  public struct Completion<Response: ProtobufMessage>: Sendable {
    @usableFromInline let deliver: @Sendable (Result<[UInt8], RPCError>) -> Void

    @usableFromInline init(_ deliver: @escaping @Sendable (Result<[UInt8], RPCError>) -> Void) {
      self.deliver = deliver
    }

    /// Delivers the response, or the status with which the call ends.
    @inlinable public func callAsFunction(_ outcome: Result<Response, RPCError>) {
      switch outcome {
      case .success(let response): deliver(.success(response.serialized()))
      case .failure(let error): deliver(.failure(error))
      }
    }
  }

  /// A closure that tells the handler of a deferred call that the call has ended.
  ///
  /// The handler must still deliver an outcome, which is discarded.
  public typealias Cancellation = @Sendable () -> Void

  /// A handler that reads the request in place and answers it later.
  @usableFromInline typealias DeferredHandler =
    @Sendable (
      UnsafeRawBufferPointer, ServerContext, @escaping @Sendable (Result<[UInt8], RPCError>) -> Void
    ) throws -> Cancellation

  private init(name: String, handler: Handler) {
    self.name = name
    self.handler = handler
  }

  @usableFromInline init(name: String, immediately handler: @escaping ImmediateHandler) {
    unsafe self.init(name: name, handler: .immediate(handler))
  }

  @usableFromInline init(name: String, deferred handler: @escaping DeferredHandler) {
    unsafe self.init(name: name, handler: .deferred(handler))
  }

  /// The handler, on serialized messages.
  @safe enum Handler: Sendable {
    case immediate(ImmediateHandler)
    case deferred(DeferredHandler)
    case unary(@Sendable ([UInt8], ServerContext) async throws -> [UInt8])
    case serverStreaming(@Sendable ([UInt8], StreamWriter, ServerContext) async throws -> Void)
    case clientStreaming(@Sendable (InboundQueue, ServerContext) async throws -> [UInt8])
    case bidirectional(@Sendable (InboundQueue, StreamWriter, ServerContext) async throws -> Void)
  }

  /// The number of messages in each direction, which follows from the kind of the handler.
  public var shape: CallShape {
    switch handler {
    case .immediate, .deferred, .unary: .unary
    case .serverStreaming: .serverStreaming
    case .clientStreaming: .clientStreaming
    case .bidirectional: .bidirectional
    }
  }

  /// A Boolean value that indicates whether the handler passes its response to a completion; see
  /// ``deferred(_:_:_:)``.
  public var isDeferred: Bool {
    if case .deferred = handler { true } else { false }
  }

  /// Creates a method with one request and one response, whose handler runs in a task.
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

  /// Creates a method with one request and one response that is answered from memory.
  ///
  /// The handler runs on the connection's event loop, before the connection does anything else, and
  /// must not block. A call needs no task, and is admitted even if the server is full.
  @inlinable public static func immediate<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler: @escaping @Sendable (Request, ServerContext) throws -> Response
  ) -> Method {
    unsafe Method(
      name: name,
      immediately: { payload, context, write in
        let request = try unsafe Request(requestPayload: payload)
        try handler(request, context).withSerializer(write)
      })
  }

  /// Creates a method with one request and one response whose handler starts work and answers
  /// later.
  ///
  /// The handler returns at once. The outcome comes from any thread, and a call needs no task.
  ///
  /// - Parameters:
  ///   - name: The method's name in the `.proto` file.
  ///   - request: The type of the request.
  ///   - handler: Runs on the connection's event loop and must not block. If it throws, the error
  ///     is the outcome of the call, and it must not deliver another. It returns a closure that is
  ///     called if the call ends before its outcome is delivered.
  @inlinable public static func deferred<Request: ProtobufMessage, Response: ProtobufMessage>(
    _ name: String,
    _ request: Request.Type,
    _ handler:
      @escaping @Sendable (Request, ServerContext, Completion<Response>) throws -> Cancellation
  ) -> Method {
    unsafe Method(
      name: name,
      deferred: { payload, context, deliver in
        let request = try unsafe Request(requestPayload: payload)
        return try handler(request, context, Completion(deliver))
      })
  }

  /// Creates a method with one request and a stream of responses.
  ///
  /// The stream ends when the handler returns.
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

  /// Creates a method with a stream of requests and one response.
  ///
  /// The handler may respond before it has read the last request.
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

  /// Creates a method with a stream of requests and a stream of responses.
  ///
  /// Both streams end when the handler returns.
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

  @inlinable init(requestPayload payload: UnsafeRawBufferPointer) throws(RPCError) {
    do {
      self = try unsafe Self(serialized: payload)
    } catch {
      throw RPCError(unreadable: Self.fullName, error)
    }
  }
}

extension RPCError {
  /// Creates the error for a request that cannot be decoded.
  @usableFromInline init(unreadable messageName: String, _ error: ProtobufError) {
    self.init(
      code: .internalError, message: "the request is not a valid \(messageName): \(error)",
      cause: error)
  }
}

/// A writer for the responses of a stream.
public struct ResponseWriter<Message: ProtobufMessage>: Sendable {
  private let writer: StreamWriter

  init(_ writer: StreamWriter) {
    self.writer = writer
  }

  /// Sends a message.
  ///
  /// Suspends until the peer has read enough of the earlier messages.
  ///
  /// - Throws: ``StatusCode/resourceExhausted`` if the message exceeds the size limit, in which
  ///   case it is not sent; otherwise the status with which the call has ended.
  public func write(_ message: Message) async throws(RPCError) {
    try await writer.write(message)
  }
}

/// A named set of methods, which generated handler protocols refine.
public protocol Service: Sendable {
  /// The service's full name in the `.proto` file, including the package.
  static var serviceName: String { get }

  /// The methods that the service implements.
  var methods: [Method] { get }
}
