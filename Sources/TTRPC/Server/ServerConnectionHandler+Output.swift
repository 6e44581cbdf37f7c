internal import Logging
internal import NIOCore

extension ServerConnectionHandler: StreamConnection {
  // MARK: Messages of streams, which wait for the peer

  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard state.isRunning(streamID), let context, context.channel.isActive else {
      return .failure(.ended)
    }
    guard context.channel.isWritable, outbound.isEmpty else { return nil }
    write(frame)
    return .success(())
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    outbound.append(.init(streamID: streamID, frame: frame, writer: writer))
    if outbound.bytes(of: streamID) > limits.effectiveQueuedBytesPerStream {
      endEarly(streamID, .slowPeer)
    }
    checkQueuedBytes()
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    outbound.drop(streamID, error)
  }

  /// The peer has read: what waits moves up, in the order in which it came.
  func takeWaitingMessages() {
    guard let context else { return }
    unwritableSince = context.channel.isWritable ? nil : unwritableSince ?? .now()
    while context.channel.isWritable, let entry = outbound.popFirst() {
      write(entry.frame)
      entry.writer.resume(returning: .success(()))
    }
  }

  // MARK: Terminal frames, which do not

  func write(_ streamID: UInt32, _ response: WireResponse) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    var buffer = context.channel.allocator.buffer(capacity: 0)
    if !buffer.writeFrame(streamID: streamID, type: .response, message: response, limit: limit) {
      let refusal = WireResponse(error: .responseTooLong(limit: limit))
      _ = buffer.writeFrame(streamID: streamID, type: .response, message: refusal, limit: limit)
    }
    write(buffer)
  }

  func writeEndOfStream(_ streamID: UInt32) {
    guard let context, context.channel.isActive else { return }
    var buffer = context.channel.allocator.buffer(capacity: FrameHeader.byteCount)
    buffer.writeFrameHeader(.endOfStream(streamID))
    write(buffer)
  }

  private func write(_ frame: ByteBuffer) {
    guard let context else { return }
    context.write(wrapOutboundOut(frame), promise: nil)
    // Answers of one read, or of one turn of the loop, leave in one system call.
    if !isReading, !flushIsNeeded {
      let this = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.execute { this.value.flush() }
    }
    flushIsNeeded = true
  }

  func flush() {
    flushIsNeeded = false
    guard let context else { return }
    context.flush()
    if !context.channel.isWritable {
      unwritableSince = unwritableSince ?? .now()
      checkQueuedBytes()
    }
  }

  /// Closes at once: what the system does not take any more is lost.
  func close() {
    flushIsNeeded = false
    context?.flush()
    context?.close(promise: nil)
  }

  /// Closes when the last answer has left, or the peer has not read it for as long as it may.
  func closeWhenWritten() {
    guard let context, context.channel.isActive, farewell == nil else { return }
    flushIsNeeded = false
    let this = NIOLoopBound(self, eventLoop: executor.eventLoop)
    farewell = executor.eventLoop.scheduleTask(in: TimeAmount(limits.writeTime)) {
      this.value.close()
    }
    // No bytes, after all that are written.
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in this.value.close() }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
  }

  // MARK: Bounds

  /// Closes the connection of a peer that does not read, or sends more than there is room for.
  func checkQueuedBytes() {
    guard let context, context.channel.isActive else { return }
    let written =
      context.channel.isWritable
      ? 0 : (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    let waiting = written + outbound.bytes
    if waiting > limits.queuedBytesPerConnection {
      logger.notice("closing: the peer does not read", metadata: ["queued_bytes": "\(waiting)"])
      context.close(promise: nil)
      return
    }
    let total = reportQueuedBytes(waiting + inboundBudget.bytes + decoder.bufferedBytes)
    // Who holds next to nothing is not the one to go.
    if total > limits.queuedBytes, queuedBytesReported > limits.queuedBytes / limits.connections {
      logger.warning(
        "closing: the server's queues are full",
        metadata: ["queued_bytes": "\(total)", "of_this_peer": "\(queuedBytesReported)"])
      context.close(promise: nil)
    }
  }

  /// Corrects this connection's part of what the server holds. Returns the whole.
  @discardableResult
  func reportQueuedBytes(_ bytes: Int) -> Int {
    let change = bytes - queuedBytesReported
    queuedBytesReported = bytes
    return server.load.queuedBytesChanged(by: change)
  }
}
