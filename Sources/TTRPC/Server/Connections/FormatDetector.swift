internal import Logging
internal import NIOCore

/// Picks the wire format of a connection by its first bytes, and installs its handlers.
///
/// - A format of ``ServerParts/formats`` begins with its preface.
/// - A request of HTTP/1.1 begins with a capital letter, the first of the method's name.
/// - A ttrpc frame begins with a zero byte, because its length is at most 4 MiB.
final class FormatDetector: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let connection: ServerConnection
  private var bytes = ByteBuffer()
  private var mustClose = false

  init(_ connection: ServerConnection) {
    self.connection = connection
  }

  func channelActive(context: ChannelHandlerContext) {
    // The drain may have started before the channel was active.
    if mustClose { context.close(promise: nil) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let time = connection.reads.readingTime
    connection.activity.lastRead = time
    bytes.writeImmutableBuffer(unwrapInboundIn(data))
    // HTTP/2 begins like a request of HTTP/1.1.
    let isUndecided = connection.server.formats.contains {
      bytes.readableBytes < $0.preface.count && $0.preface.starts(with: bytes.readableBytesView)
    }
    guard !isUndecided else {
      connection.activity.frameBegan = connection.activity.frameBegan ?? time
      return
    }
    connection.activity.frameBegan = nil
    do {
      try installHandlers()
    } catch {
      return connection.close(
        "cannot set up its protocol", .error, metadata: ["error": "\(error)"])
    }
    context.fireChannelRead(wrapInboundOut(bytes))
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  /// Adds the handlers of the connection's wire format behind this one.
  private func installHandlers() throws {
    let format = connection.server.formats.first {
      bytes.readableBytesView.starts(with: $0.preface)
    }
    if let format {
      try format.install(connection, self)
    } else if let first = bytes.readableBytesView.first,
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first), !connection.server.routes.isEmpty
    {
      try HTTPConnectionHandler.install(after: self, connection)
    } else {
      try connection.channel.pipeline.syncOperations.addHandler(
        TTRPCConnectionHandler(connection), position: .after(self))
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is DrainStarted, is DrainEnded, ChannelEvent.inputClosed:
      mustClose = true
      if context.channel.isActive { context.close(promise: nil) }
    case is BudgetsChanged:
      connection.budgetChanged()
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.close("I/O error", metadata: ["error": "\(plainText(of: error))"])
  }
}
