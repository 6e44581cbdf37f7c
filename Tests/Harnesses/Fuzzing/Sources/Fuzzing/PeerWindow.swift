import NIOCore

/// A stand-in for the buffers of a socket.
///
/// While the peer does not read, written bytes wait. While more than ``highMark`` bytes wait, the
/// channel is not writable.
final class PeerWindow: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let highMark = 600

  /// True if the peer reads everything at once.
  var isOpen = true
  private(set) var waiting = 0
  private var promises: [EventLoopPromise<Void>] = []
  private let setWritable: (Bool) -> Void

  init(_ setWritable: @escaping (Bool) -> Void) {
    self.setWritable = setWritable
  }

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    let buffer = unwrapOutboundIn(data)
    let before = waiting
    waiting += buffer.readableBytes
    context.write(data, promise: nil)
    if let promise { promises.append(promise) }
    if before <= Self.highMark, waiting > Self.highMark {
      setWritable(false)
      context.fireChannelWritabilityChanged()
    }
  }

  func flush(context: ChannelHandlerContext) {
    if isOpen { read(context) }
  }

  /// Lets the peer read the bytes that wait.
  func read(_ context: ChannelHandlerContext) {
    let before = waiting
    waiting = 0
    context.flush()
    for promise in takePromises() { promise.succeed() }
    if before > Self.highMark {
      setWritable(true)
      context.fireChannelWritabilityChanged()
    }
  }

  /// Closes the channel; the bytes that wait are lost, as on a socket.
  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    for promise in takePromises() { promise.fail(ChannelError.ioOnClosedChannel) }
    context.close(mode: mode, promise: promise)
  }

  private func takePromises() -> [EventLoopPromise<Void>] {
    defer { promises = [] }
    return promises
  }
}
