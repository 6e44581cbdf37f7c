internal import MockupClient
internal import StandardStreams

extension Connection {
  /// The maximum number of records of a list without `--limit`, which the help states.
  static let defaultLimit = 50

  /// The number of records of a list that are written at a time.
  private static let recordsPerWrite = 500

  /// Writes the elements of a list.
  ///
  /// If the default limit leaves out elements, a line on standard error says so. If an error ends
  /// the list, the elements before it are written.
  ///
  /// - Parameters:
  ///   - limit: The maximum number of elements; 0 writes all, and `nil` is ``defaultLimit``.
  ///   - record: Returns the record of an element.
  ///   - row: Returns the row of an element in a table, if it has fewer fields than the record.
  func write<List: AsyncSequence>(
    _ list: List, limit: Int?, _ record: @escaping (List.Element) -> Record,
    row: ((List.Element) -> Record)? = nil
  ) async throws where List.Element: ListElement {
    let record = output == .table ? row ?? record : record
    var writer = ListWriter(output, columns: record(List.Element()))
    var records: [Record] = []
    var count = 0
    var hasMore = false
    do {
      for try await element in list {
        if limit == nil, count == Self.defaultLimit {
          hasMore = true
          break
        }
        records.append(record(element))
        count += 1
        if count == limit { break }
        if records.count == Self.recordsPerWrite {
          try await writer.write(records)
          records = []
        }
      }
    } catch let error as RPCError {
      if count > 0 {
        try await writer.write(records)
        try await writer.finishAfterError()
      }
      throw error
    }
    try await writer.write(records)
    try await writer.finish()
    if hasMore {
      await StandardError.write(
        line: "mockupctl: only the first \(count) are listed; --limit 0 lists all")
    }
  }
}

/// A message that lists consist of.
protocol ListElement {
  /// Creates an empty message, whose record has the columns of the list.
  init()
}

extension Alert: ListElement {}
extension CreditUsageEntry: ListElement {}
extension Mockup: ListElement {}
extension Reservation: ListElement {}
extension SceneTemplate: ListElement {}
extension UnresolvedReservation: ListElement {}
