internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Serves one HTTP request on a connection, then closes it.
final class HTTPConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let connection: ServerConnection
  private var context: ChannelHandlerContext?
  private var call: ServerCall?
  private var task: Task<Void, Never>?
  private var deadline: Scheduled<Void>?
  private var hasRequest = false

  private var server: ServerParts { connection.server }
  private var loop: ServerLoop { connection.loop }

  private init(_ connection: ServerConnection) {
    self.connection = connection
  }

  /// The maximum size of all headers of a request together, in bytes.
  private static let maximumHeaderSize = 16_384

  /// Adds the HTTP codec and handler to a connection's channel.
  static func install(after detector: FormatDetector, _ connection: ServerConnection) throws {
    let pipeline = connection.channel.pipeline.syncOperations
    try pipeline.addHandler(HTTPConnectionHandler(connection), position: .after(detector))
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderListSize = maximumHeaderSize
    // A connection has one request, so there is no pipelining.
    try pipeline.configureHTTPServerPipeline(
      position: .after(detector), withPipeliningAssistance: false, withErrorHandling: true,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    // The timeouts of requests and responses are deadlines here.
    connection.stopWatching()
    setDeadline(of: 0, in: server.limits.frameTimeout)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    // Breaks a reference cycle: the call refers to this handler.
    call = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // A body is discarded: no route reads one.
    guard case .head(let head) = unwrapInboundIn(data), !hasRequest else { return }
    hasRequest = true
    let path = HTTPRoute.path(of: head.uri)
    let route = server.routes.first { $0.path == path }
    guard head.method == .GET || head.method == .HEAD else {
      return respond(.init(status: 405, line: "method not allowed; use GET or HEAD"), to: head)
    }
    // A connection has one request, so the limit on connections also limits these calls. The limits
    // on calls do not apply, so that probes are always answered.
    _ = server.load.callStarted(.immediate, connection.calls.admission)
    answer(head, path: path, route)
  }

  private func answer(_ head: HTTPRequestHead, path: String, _ route: HTTPRoute?) {
    let unknown = RPCError(code: .unimplemented, message: "unknown path")
    let method = CalledMethod(
      route?.descriptor
        ?? MethodDescriptor(service: HTTPRoute.serviceName, name: String(path.dropFirst())),
      isKnown: route != nil, unknown)
    let call = ServerCall(
      CallConnection(
        peer: connection.peer, logger: connection.logger, eventLoop: loop.eventLoop,
        controller: self),
      CallRequest(
        streamID: 0, method: method, metadata: Metadata(head.headers), timeout: nil,
        began: connection.now, size: 0))
    self.call = call
    let context = ServerContext(
      call, deadline: call.request.began.advanced(by: server.limits.frameTimeout))

    let this = NIOLoopBound(self, eventLoop: loop.eventLoop)
    let (interceptors, load, admission) = (
      server.interceptors, server.load, connection.calls.admission
    )
    task = Task.immediate(executorPreference: loop.executor) {
      let response: HTTPResponse
      do throws(RPCError) {
        response = try await interceptors.run(context) { context throws(RPCError) in
          guard let route else { throw unknown }
          let response = try await route.respond(load)
          if let ending = context.call.ending { throw ending }
          context.traffic.sent(response.body.count)
          return response
        }
      } catch {
        response = HTTPResponse(error)
      }
      load.callEnded(.immediate, admission)
      this.value.respond(response, to: head)
    }
  }

  private func respond(_ response: HTTPResponse, to head: HTTPRequestHead) {
    deadline?.cancel()
    guard let context, context.channel.isActive else { return }
    // A peer that does not read its response must not keep the connection open. The deadline is set
    // before the write, because the write may close the channel.
    setDeadline(of: 0, in: server.limits.writeTimeout)
    var answer = HTTPResponseHead(
      version: head.version, status: HTTPResponseStatus(statusCode: response.status))
    answer.headers.add(name: "Content-Type", value: response.contentType)
    answer.headers.add(name: "Content-Length", value: "\(response.body.count)")
    answer.headers.add(name: "Connection", value: "close")
    if response.status == 405 { answer.headers.add(name: "Allow", value: "GET, HEAD") }
    context.write(wrapOutboundOut(.head(answer)), promise: nil)
    if head.method != .HEAD {
      context.write(
        wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is DrainStarted where !hasRequest, is DrainEnded: context.close(promise: nil)
    case ChannelEvent.inputClosed where !hasRequest: context.close(promise: nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop(RPCError(code: .cancelled, message: "the client disconnected"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.close("HTTP error", metadata: ["error": "\(plainText(of: error))"])
  }

  private func stop(_ reason: RPCError) {
    deadline?.cancel()
    call?.end(reason)
    task?.cancel()
  }
}

extension HTTPConnectionHandler: CallController {
  func endAtDrain(_ streamID: UInt32) {}

  func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {}

  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata) {}

  func setDeadline(of streamID: UInt32, in timeout: Duration) {
    deadline?.cancel()
    let this = NIOLoopBound(self, eventLoop: loop.eventLoop)
    deadline = loop.eventLoop.scheduleTask(in: TimeAmount(clamping: timeout)) {
      this.value.stop(.deadlineExceeded)
      this.value.context?.close(promise: nil)
    }
  }
}

extension Metadata {
  init(_ headers: HTTPHeaders) {
    self.init()
    for header in headers { append(header.value, for: header.name) }
  }
}
