internal import ArgumentParser
internal import MockupClient
internal import StandardStreams

/// The options of a command that calls the server: address, output format and timeout.
struct Connection: ParsableArguments {
  @OptionGroup var server: ServerAddress

  @Option(help: OutputFormat.help)
  var output = OutputFormat.table

  @Option(parsing: .unconditional, help: "Seconds to wait for a response.")
  var timeout = Seconds.forOneAnswer

  /// The maximum number of records of a list without `--limit`, which the help states.
  static let defaultLimit = 50

  /// The number of records of a list that are written at a time.
  private static let recordsPerWrite = 500

  /// Runs a command with a client.
  ///
  /// Calls are not retried, so that the user sees an error at once.
  ///
  /// - Throws: `CommandError` if a call fails; the errors of `body`.
  func run(_ body: (MockupClient) async throws -> Void) async throws {
    try await Self.run(at: server, timeout: timeout.duration, body)
  }

  /// Runs a command that has an effect under an idempotency key.
  ///
  /// A key that the user did not give is printed before the call, and each error of the call names
  /// the key: with it, the command can be repeated without a second effect.
  ///
  /// - Throws: `CommandError` if a call fails; the errors of `body`.
  func run(
    under key: IdempotencyKey, _ body: (MockupClient) async throws -> Void
  ) async throws {
    // An id is offered for a call only, and without an address there is none.
    _ = try server.path
    if !key.isGiven { await StandardError.write(line: "mockupctl: \(key.hint)") }
    do {
      try await run(body)
    } catch let error as CommandError {
      throw error.adding(key.hint)
    }
  }

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

  /// Runs a command that has its own options in place of these.
  static func run(
    at server: ServerAddress, timeout: Duration?, _ body: (MockupClient) async throws -> Void
  ) async throws {
    let configuration = MockupClient.Configuration(timeout: timeout, retry: .never)
    do {
      try await MockupClient.withConnection(
        to: .unixSocket(path: try server.path), configuration: configuration, body)
    } catch let error as RPCError {
      throw CommandError(answer: error)
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
