internal import NIOConcurrencyHelpers
internal import NIOCore

/// A queue of items that other threads pass to an event loop.
///
/// Items that are appended together wake the event loop once.
final class LoopInbox<Item: Sendable>: Sendable {
  private let eventLoop: any EventLoop
  private let handle: @Sendable (Item) -> Void
  private let items = NIOLockedValueBox<[Item]>([])

  /// Creates a queue.
  ///
  /// - Parameters:
  ///   - eventLoop: The event loop that handles the items.
  ///   - handle: Handles one item, on the event loop.
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
