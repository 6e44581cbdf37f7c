internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct RecordPerformance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Add pins and impressions to mockups.",
    discussion: """
      Adds to the mockup that the arguments name, or without arguments to the mockups in the lines \
      of standard input. Each line is a JSON object with the fields user_id, mockup_id, pins and \
      impressions. Alternatively the input is CSV: a header with these four names, in any order, \
      and lines of values. An invalid line ends the command with an error.

      The same input with the same --id is counted once, however often it is sent. The id is \
      printed to standard error before anything is read, unless --id gives it.

      If the server refuses lines, the exit code is 1. The first 100 of them in each 16000 lines \
      are printed to standard error, with the reason.
      """)

  @Argument(help: "The user's id. (default: read standard input)")
  var user: UUID?

  @Argument(help: "The mockup's id.")
  var mockup: UUID?

  @Option(
    parsing: .unconditional, help: "The number of pins to add. (default: 0)",
    transform: Int32.atLeast(0))
  var pins: Int32 = 0

  @Option(
    parsing: .unconditional, help: "The number of impressions to add. (default: 0)",
    transform: Int32.atLeast(0))
  var impressions: Int32 = 0

  @Option(help: "The idempotency key of the input. (default: a new id)")
  var id: UUID?

  @OptionGroup var connection: Connection

  /// The number of entries in a batch.
  private static let batchSize = 500
  /// The number of batches that are sent in one call.
  private static let batchesPerCall = 32

  func validate() throws {
    guard (user == nil) == (mockup == nil) else {
      throw ValidationError("give both a user and a mockup, or neither to read standard input")
    }
    guard user == nil || pins != 0 || impressions != 0 else {
      throw ValidationError("nothing to add: give --pins or --impressions")
    }
    guard user != nil || (pins == 0 && impressions == 0) else {
      throw ValidationError("--pins and --impressions require a user and a mockup")
    }
  }

  func run() async throws {
    let key = IdempotencyKey(id)
    var sender = PerformanceSender(id: key.id)
    try await connection.run(under: key) { client in
      if let user, let mockup {
        sender.append(
          PerformanceEntry(
            userID: user.wireText, mockupID: mockup.wireText, pins: pins,
            impressions: impressions), line: nil)
      } else {
        for try await line in PerformanceLines(pieces: StandardInput()) {
          sender.append(line.entry, line: line.number)
          guard sender.unsentCount == Self.batchSize * Self.batchesPerCall else { continue }
          try await sender.send(to: client, batchSize: Self.batchSize)
        }
      }
      try await sender.send(to: client, batchSize: Self.batchSize)
      try await connection.output.write(sender.record)
      guard sender.refused == 0 else { throw ExitCode(1) }
    }
  }
}
