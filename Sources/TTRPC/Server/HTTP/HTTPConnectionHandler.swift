internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// A connection that turned out to speak HTTP: one request, one response, and the end.
final class HTTPConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let server: ServerParts
  private let peer: PeerIdentity
  private let logger: Logger
  private let loop: ServerLoop
  private let admission: Admission
  private var context: ChannelHandlerContext?
  private var call: ServerCall?
  private var task: Task<Void, Never>?
  private var deadline: Scheduled<Void>?
  private var hasRequest = false

  private init(
    server: ServerParts, peer: PeerIdentity, logger: Logger, loop: ServerLoop, admission: Admission
  ) {
    self.admission = admission
    self.server = server
    self.peer = peer
    self.logger = logger
    self.loop = loop
  }

  /// The most bytes of all headers of a request.
  private static let maximumHeaderSize = 16_384

  /// Whether a connection begins as HTTP does: with the capital of a method's name. A ttrpc frame
  /// begins with a zero.
  static func recognises(_ bytes: ByteBuffer) -> Bool {
    guard let first: UInt8 = bytes.getInteger(at: bytes.readerIndex) else { return false }
    return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first)
  }

  /// Makes the rest of a channel's pipeline speak HTTP.
  static func install(
    on channel: any Channel, after handler: ServerConnectionHandler, server: ServerParts,
    peer: PeerIdentity, logger: Logger, loop: ServerLoop, admission: Admission
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(
      HTTPConnectionHandler(
        server: server, peer: peer, logger: logger, loop: loop, admission: admission),
      position: .after(handler))
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderListSize = maximumHeaderSize
    // Without pipelining: there is one request.
    try pipeline.configureHTTPServerPipeline(
      position: .after(handler), withPipeliningAssistance: false, withErrorHandling: true,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let limits = server.limits
    setDeadline(
      of: 0,
      in: admission.isReserved
        ? min(limits.frameTime, limits.reservedConnectionTime) : limits.frameTime)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    // It holds its connection, and would keep both.
    call = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // A body is read and forgotten: no path wants one.
    guard case .head(let head) = unwrapInboundIn(data), !hasRequest else { return }
    hasRequest = true
    let path = String(head.uri.prefix { $0 != "?" })
    let route = server.routes.first { $0.path == path }
    guard head.method == .GET || head.method == .HEAD else {
      return respond(.init(status: 405, line: "only GET and HEAD are answered"), to: head)
    }
    // A connection has one request, so that the limit on connections bounds these calls too. Probes are
    // answered however many calls are in flight.
    server.load.countCall(by: 1, admission)
    answer(head, path: path, route)
  }

  private func answer(_ head: HTTPRequestHead, path: String, _ route: HTTPRoute?) {
    let call = ServerCall(
      CallConnection(peer: peer, logger: logger, eventLoop: loop.eventLoop, keeper: self),
      streamID: 0,
      method: route?.descriptor
        ?? MethodDescriptor(service: HTTPRoute.serviceName, name: String(path.dropFirst())),
      isKnown: route != nil,
      metadata: Metadata(head.headers))
    self.call = call
    let context = ServerContext(call, deadline: call.began + server.limits.frameTime)

    let this = NIOLoopBound(self, eventLoop: loop.eventLoop)
    let (interceptors, load, admission) = (server.interceptors, server.load, admission)
    task = Task.immediate(executorPreference: loop.executor) {
      let response: HTTPResponse
      do throws(RPCError) {
        response = try await interceptors.run(context) { context throws(RPCError) in
          guard let route else {
            throw RPCError(code: .unimplemented, message: "nothing is here")
          }
          let response = try await route.respond(load)
          if let ending = context.call.ending { throw ending }
          context.traffic.sent(response.body.count)
          return response
        }
      } catch {
        response = HTTPResponse(error)
      }
      load.countCall(by: -1, admission)
      this.value.respond(response, to: head)
    }
  }

  private func respond(_ response: HTTPResponse, to head: HTTPRequestHead) {
    deadline?.cancel()
    guard let context, context.channel.isActive else { return }
    // A peer that does not read its answer does not keep the connection for ever. Before it is
    // written, since that may be the end.
    setDeadline(of: 0, in: server.limits.writeTime)
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
    stop(RPCError(code: .cancelled, message: "the caller is gone"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.notice("closing: no proper HTTP", metadata: ["error": "\(error)"])
    context.close(promise: nil)
  }

  private func stop(_ reason: RPCError) {
    deadline?.cancel()
    call?.end(reason)
    task?.cancel()
  }
}

extension HTTPConnectionHandler: CallKeeper {
  func endAtDrain(_ streamID: UInt32) {}

  func endDisplaced(_ streamID: UInt32, _ reason: RPCError) {}

  func setDeadline(of streamID: UInt32, in timeout: Duration) {
    deadline?.cancel()
    let this = NIOLoopBound(self, eventLoop: loop.eventLoop)
    let delay = TimeAmount(min(timeout, .longest))
    deadline = loop.eventLoop.scheduleTask(in: delay) {
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
