internal import Logging
internal import NIOCore

extension ServerConnectionHandler {
  /// Looks now and then whether the peer has stopped in the middle of a frame, or fallen silent.
  func startWatch(_ context: ChannelHandlerContext) {
    let shortest = min(limits.frameTime, limits.writeTime, limits.idleTime ?? limits.frameTime)
    let interval = TimeAmount(max(shortest / 4, .milliseconds(10)))
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      this.value.closeIfStalled()
    }
  }

  private func closeIfStalled() {
    let now = now
    let queuedBefore = queuedBytesReported
    checkQueuedBytes()
    // Who reads slowly reads all the same.
    if queuedBytesReported < queuedBefore, unwritableSince != nil { unwritableSince = now }
    if let frameBegan, now - frameBegan > TimeAmount(limits.frameTime) {
      logger.notice("closing: a frame was begun and not finished")
      close()
    } else if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTime) {
      logger.notice("closing: the peer has stopped reading")
      close()
    } else if let idleTime = limits.idleTime, calls.isEmpty,
      now - lastActivity > TimeAmount(idleTime)
    {
      logger.debug("closing: idle")
      close()
    }
  }
}
