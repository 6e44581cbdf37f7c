internal import NIOConcurrencyHelpers
internal import NIOCore

/// What other threads have for an event loop. However much comes together, the loop is woken, and asked to
/// do something, once.
final class LoopInbox<Item: Sendable>: Sendable {
  private let eventLoop: any EventLoop
  private let handle: @Sendable (Item) -> Void
  private let items = NIOLockedValueBox<[Item]>([])

  /// - Parameter handle: Runs on the event loop.
  init(_ eventLoop: any EventLoop, handle: @escaping @Sendable (Item) -> Void) {
    self.eventLoop = eventLoop
    self.handle = handle
  }

  func append(_ item: Item) {
    let isFirst = items.withLockedValue { items in
      items.append(item)
      return items.count == 1
    }
    if isFirst { eventLoop.execute { self.handleAll() } }
  }

  private func handleAll() {
    let items = items.withLockedValue { items in
      defer { items = [] }
      return items
    }
    for item in items { handle(item) }
  }
}
