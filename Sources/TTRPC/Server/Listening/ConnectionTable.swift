internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The open connections of a server, and the coordination of its drain.
final class ConnectionTable: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    let isDraining = state.withLockedValue { state in
      state.channels[id] = channel
      return state.isDraining
    }
    channel.closeFuture.whenComplete { [self] _ in
      state.withLockedValue { _ = $0.channels.removeValue(forKey: id) }
    }
    if isDraining { channel.pipeline.fireUserInboundEventTriggered(DrainStarted()) }
  }

  /// Sends a user event to every open connection.
  func fire(_ event: some Sendable) {
    let channels = state.withLockedValue { Array($0.channels.values) }
    for channel in channels { channel.pipeline.fireUserInboundEventTriggered(event) }
  }

  /// Starts the drain: ``waitForDrain()`` returns.
  ///
  /// Further calls have no effect.
  func startDrain() {
    let waiter = state.withLockedValue { state in
      state.isDraining = true
      return state.waiter.take()
    }
    waiter?.resume()
  }

  /// Waits until ``startDrain()`` is called.
  func waitForDrain() async {
    await withCheckedContinuation { continuation in
      let isDraining = state.withLockedValue { state in
        if !state.isDraining { state.waiter = continuation }
        return state.isDraining
      }
      if isDraining { continuation.resume() }
    }
  }

  /// Lets every connection answer its calls in flight, then closes it.
  ///
  /// Calls that take longer than `limit` are ended.
  func drain(within limit: Duration, on eventLoop: any EventLoop, logger: Logger) async {
    let channels = state.withLockedValue { Array($0.channels.values) }
    guard !channels.isEmpty else { return }
    for channel in channels {
      channel.pipeline.fireUserInboundEventTriggered(DrainStarted())
    }
    let cut = eventLoop.scheduleTask(in: TimeAmount(limit)) {
      logger.warning("ending calls that did not finish within the drain timeout of \(limit)")
      for channel in channels { channel.pipeline.fireUserInboundEventTriggered(DrainEnded()) }
    }
    for channel in channels { try? await channel.closeFuture.get() }
    cut.cancel()
  }
}
