internal import Logging
internal import NIOCore

extension ServerConnectionHandler: StreamConnection {
  // MARK: Stream messages, which wait until the peer has read enough

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

  /// Writes the waiting messages, in order, as far as the peer has read.
  func takeWaitingMessages() {
    guard let context else { return }
    let isWaiting = isFinishing || !context.channel.isWritable
    unwritableSince = isWaiting ? unwritableSince ?? now : nil
    if context.channel.isWritable, outputBuffer.readableBytes > 0 { scheduleFlush() }
    while canTakeMore, let entry = outbound.popFirst() {
      write(entry.frame)
      entry.writer.resume(returning: .success(()))
    }
  }

  /// A Boolean value that indicates whether another stream message may be written.
  private var canTakeMore: Bool {
    guard let context else { return false }
    return context.channel.isWritable && outputBuffer.readableBytes < Self.maxBufferedOutputBytes
  }

  /// The size of the output buffer, in bytes, from which stream messages wait for a flush.
  private static let maxBufferedOutputBytes = 65_536

  // MARK: Terminal frames, which are written at once

  func write(_ streamID: UInt32, _ error: RPCError) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    if let response = error.encoded, response.count <= limit {
      outputBuffer.writeFrameHeader(
        FrameHeader(
          length: UInt32(response.count), streamID: streamID, type: FrameType.response.rawValue,
          flags: []))
      outputBuffer.writeBytes(response)
      return scheduleFlush()
    }
    let response = WireResponse(error: error)
    let isWritten = outputBuffer.writeFrame(
      streamID: streamID, type: .response, message: response, limit: limit)
    if !isWritten {
      let refusal = WireResponse(error: .responseTooLong(limit: limit))
      _ = outputBuffer.writeFrame(
        streamID: streamID, type: .response, message: refusal, limit: limit)
    }
    scheduleFlush()
  }

  /// Writes the response of a call that succeeded, which is within the size limit.
  func write(_ streamID: UInt32, _ payload: [UInt8]) {
    guard let context, context.channel.isActive else { return }
    let limit = limits.wire.maximumMessageSize
    _ = outputBuffer.writeResponse(streamID: streamID, payload: payload, limit: limit)
    scheduleFlush()
  }

  func writeEndOfStream(_ streamID: UInt32) {
    guard let context, context.channel.isActive else { return }
    outputBuffer.writeFrameHeader(.endOfStream(streamID))
    scheduleFlush()
  }

  private func write(_ frame: ByteBuffer) {
    outputBuffer.writeImmutableBuffer(frame)
    scheduleFlush()
  }

  func scheduleFlush() {
    guard let context else { return }
    // The responses to one read, or of one event-loop tick, are sent with one system call.
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
    // Responses that the peer does not read are collected here: a buffer for each would take many
    // times the memory.
    if context.channel.isWritable { writeOutputBuffer(promise: nil) }
    if context.channel.isWritable {
      takeWaitingMessages()
    } else {
      unwritableSince = unwritableSince ?? now
      checkQueuedBytes()
    }
  }

  private func writeOutputBuffer(promise: EventLoopPromise<Void>?) {
    let bytes = outputBuffer
    outputBuffer = ByteBuffer()
    context?.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
  }

  /// Closes the connection at once.
  ///
  /// Data that the peer has not read yet may be lost.
  func close() {
    flushIsNeeded = false
    writeOutputBuffer(promise: nil)
    context?.close(promise: nil)
  }

  /// Closes the connection once all responses have been sent.
  ///
  /// A peer that does not read has ``ServerLimits/writeTimeout`` to do so.
  func finish() {
    // Frames that have arrived are answered first, and `turnEnded()` then calls this again.
    guard !isReading, !isPaused else { return }
    guard let context, context.channel.isActive, !isFinishing else { return }
    isFinishing = true
    flushIsNeeded = false
    let channel = context.channel
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { _ in channel.close(promise: nil) }
    writeOutputBuffer(promise: written)
    // The time limit applies even if the channel is still writable.
    unwritableSince = unwritableSince ?? now
  }

  // MARK: Limits

  /// Closes the connection if the peer does not read its responses, or if the server's queues are
  /// full and this connection holds more than its share.
  func checkQueuedBytes() {
    guard let context, context.channel.isActive else { return }
    let waiting = waitingAnswers(context)
    if waiting > limits.queuedBytesPerConnection {
      logger.notice(
        "closing connection: the peer does not read its responses",
        metadata: ["queued_bytes": "\(waiting)"])
      context.close(promise: nil)
      return
    }
    let total = reportQueuedBytes(
      waiting + outbound.bytes + inboundBudget.bytes + requestBytes + decoder.memoryBytes)
    // A connection that holds less than an equal share is not the cause.
    if total > limits.queuedBytes, queuedBytesReported > limits.queuedBytes / limits.connections {
      logger.warning(
        "closing connection: the limit on queued bytes of the server is reached",
        metadata: ["queued_bytes": "\(total)", "queued_bytes_of_peer": "\(queuedBytesReported)"])
      context.close(promise: nil)
    }
  }

  /// Returns the number of response bytes that wait for the peer, or 0 if the channel is writable.
  ///
  /// A peer that reads soon empties the buffer of a writable channel.
  private func waitingAnswers(_ context: ChannelHandlerContext) -> Int {
    guard !context.channel.isWritable else { return 0 }
    let written = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (written ?? 0) + outputBuffer.readableBytes
  }

  /// Updates this connection's part of the server's queued bytes.
  ///
  /// - Returns: The queued bytes of the whole server.
  @discardableResult
  func reportQueuedBytes(_ bytes: Int) -> Int {
    let change = bytes - queuedBytesReported
    queuedBytesReported = bytes
    return server.load.changeQueuedBytes(by: change)
  }
}
