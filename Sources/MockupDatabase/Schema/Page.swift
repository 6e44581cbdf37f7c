/// The position of a row in a list, after which a page begins.
public protocol PageCursor: Sendable, Hashable {
  /// A row of the list.
  associatedtype Row: Sendable

  /// Creates a cursor at a row.
  init(_ row: Row)
}

/// A page of a list.
public struct Page<Cursor: PageCursor>: Sendable {
  /// The rows of the page, in the order of the list.
  public var rows: [Cursor.Row]
  /// The cursor for the next page, or nil if this is the last page.
  public var next: Cursor?

  /// Creates a page from its rows, of which one more than `count` was read to find out whether
  /// there is a next page.
  init(_ rows: consuming [Cursor.Row], count: Int32) {
    self.rows = rows
    guard self.rows.count > Int(count) else { return }
    self.rows.removeLast()
    next = self.rows.last.map(Cursor.init)
  }
}
