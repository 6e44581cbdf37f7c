internal import Logging
internal import NIOCore

extension ServerConnectionHandler: StreamConnection {
  // MARK: Messages of streams, which wait for the peer

  func take(_ frame: ByteBuffer, of streamID: UInt32) -> Result<Void, RPCError>? {
    guard state.isRunning(streamID), let context, context.channel.isActive else {
      return .failure(.ended)
    }
    guard canTakeMore, outbound.isEmpty else { return nil }
    write(frame)
    return .success(())
  }

  func takeInTurn(_ frame: ByteBuffer, of streamID: UInt32, _ writer: MessageTaken) {
    if let taken = take(frame, of: streamID) { return writer.resume(returning: taken) }
    outbound.append(.init(streamID: streamID, frame: frame, writer: writer))
    if outbound.bytes(of: streamID) > limits.effectiveQueuedBytesPerStream {
      endEarly(streamID, .slowPeer)
    }
    while outbound.bytes > limits.queuedBytesPerConnection, let greediest = outbound.greediest {
      endEarly(greediest, .slowPeer)
    }
    checkQueuedBytes()
  }

  func dropWaiting(of streamID: UInt32, _ error: RPCError) {
    outbound.drop(streamID, error)
  }

  /// The peer has read: what waits moves up, in the order in which it came.
  func takeWaitingMessages() {
    guard let context else { return }
    let isWaiting = isFinishing || !context.channel.isWritable
    unwritableSince = isWaiting ? unwritableSince ?? now : nil
    if context.channel.isWritable, gathered.readableBytes > 0 { scheduleFlush() }
    while canTakeMore, let entry = outbound.popFirst() {
      write(entry.frame)
      entry.writer.resume(returning: .success(()))
    }
  }

  /// Whether the peer has read enough to be sent another message of a stream.
  private var canTakeMore: Bool {
    guard let context else { return false }
    return context.channel.isWritable && gathered.readableBytes < Self.gatheredAtOnce
  }

  /// Above it, messages of streams wait for a flush.
  private static let gatheredAtOnce = 65_536

  // MARK: Terminal frames, which do not

  func write(_ streamID: UInt32, _ error: RPCError) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    if let response = error.encoded, response.count <= limit {
      gathered.writeFrameHeader(
        FrameHeader(
          length: UInt32(response.count), streamID: streamID, type: FrameType.response.rawValue,
          flags: []))
      gathered.writeBytes(response)
      return scheduleFlush()
    }
    let response = WireResponse(error: error)
    if !gathered.writeFrame(streamID: streamID, type: .response, message: response, limit: limit) {
      let refusal = WireResponse(error: .responseTooLong(limit: limit))
      _ = gathered.writeFrame(streamID: streamID, type: .response, message: refusal, limit: limit)
    }
    scheduleFlush()
  }

  /// Writes the answer of a call that ended well: its payload is within the limit.
  func write(_ streamID: UInt32, _ payload: [UInt8]) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    _ = gathered.writeResponse(streamID: streamID, payload: payload, limit: limit)
    scheduleFlush()
  }

  func writeEndOfStream(_ streamID: UInt32) {
    guard let context, context.channel.isActive else { return }
    gathered.writeFrameHeader(.endOfStream(streamID))
    scheduleFlush()
  }

  private func write(_ frame: ByteBuffer) {
    gathered.writeImmutableBuffer(frame)
    scheduleFlush()
  }

  func scheduleFlush() {
    guard let context else { return }
    // Answers of one read, or of one turn of the loop, leave in one system call.
    if !isReading, !flushIsNeeded {
      let this = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.execute {
        this.value.flush()
        this.value.pollForNextCall()
      }
    }
    flushIsNeeded = true
  }

  func flush() {
    flushIsNeeded = false
    guard let context else { return }
    // Answers that the peer leaves unread stay here, in a row: a buffer for each would take many
    // times its length.
    if context.channel.isWritable { writeGathered(promise: nil) }
    if context.channel.isWritable {
      takeWaitingMessages()
    } else {
      unwritableSince = unwritableSince ?? now
      checkQueuedBytes()
    }
  }

  private func writeGathered(promise: EventLoopPromise<Void>?) {
    let bytes = gathered
    gathered = ByteBuffer()
    context?.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
  }

  /// Closes the connection at once. What the peer has not read by then may be lost.
  func close() {
    flushIsNeeded = false
    writeGathered(promise: nil)
    context?.close(promise: nil)
  }

  /// Closes the connection once the peer has been sent all that it was answered. One that does not
  /// read has as long as ``ServerLimits/writeTime``.
  func finish() {
    // Frames that have arrived are answered first; the end of their turn comes back here.
    guard !isReading, !isPaused else { return }
    guard let context, context.channel.isActive, !isFinishing else { return }
    isFinishing = true
    flushIsNeeded = false
    let channel = context.channel
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in channel.close(promise: nil) }
    writeGathered(promise: written)
    // However little it is that the peer leaves unread.
    unwritableSince = unwritableSince ?? now
  }

  // MARK: Bounds

  /// Closes the connection of a peer that does not read, or sends more than there is room for.
  func checkQueuedBytes() {
    guard let context, context.channel.isActive else { return }
    let waiting = waitingAnswers(context)
    if waiting > limits.queuedBytesPerConnection {
      logger.notice("closing: the peer does not read", metadata: ["queued_bytes": "\(waiting)"])
      context.close(promise: nil)
      return
    }
    let total = reportQueuedBytes(
      waiting + outbound.bytes + inboundBudget.bytes + requestBytes + decoder.memoryBytes)
    // Who holds next to nothing is not the one to go.
    if total > limits.queuedBytes, queuedBytesReported > limits.queuedBytes / limits.connections {
      logger.warning(
        "closing: the server's queues are full",
        metadata: ["queued_bytes": "\(total)", "of_this_peer": "\(queuedBytesReported)"])
      context.close(promise: nil)
    }
  }

  /// Bytes that the peer could have read and has not; those of one that reads are soon gone.
  private func waitingAnswers(_ context: ChannelHandlerContext) -> Int {
    guard !context.channel.isWritable else { return 0 }
    let written = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (written ?? 0) + gathered.readableBytes
  }

  /// Corrects this connection's part of what the server holds. Returns the whole.
  @discardableResult
  func reportQueuedBytes(_ bytes: Int) -> Int {
    let change = bytes - queuedBytesReported
    queuedBytesReported = bytes
    return server.load.queuedBytesChanged(by: change)
  }
}
