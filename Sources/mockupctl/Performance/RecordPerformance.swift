internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams
internal import VisibleText

struct PerformanceCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "performance", abstract: "Record the pins and impressions of mockups.",
    subcommands: [RecordPerformance.self])
}

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
    parsing: .unconditional, help: "The number of pins to add.", transform: Int32.atLeast(0))
  var pins: Int32 = 0

  @Option(
    parsing: .unconditional, help: "The number of impressions to add.", transform: Int32.atLeast(0))
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
  }

  func run() async throws {
    let key = IdempotencyKey(id)
    var count = PerformanceCount(id: key.id)
    try await connection.run(under: key) { client in
      if let user, let mockup {
        count.append(
          PerformanceEntry(
            userID: user.wireText, mockupID: mockup.wireText, pins: pins,
            impressions: impressions), line: 1)
      } else {
        for try await line in PerformanceLines(pieces: StandardInput()) {
          count.append(line.entry, line: line.number)
          guard count.waiting == Self.batchSize * Self.batchesPerCall else { continue }
          try await count.send(to: client, batchSize: Self.batchSize)
        }
      }
      try await count.send(to: client, batchSize: Self.batchSize)
      try await connection.output.write(count.record)
      guard count.refused == 0 else { throw ExitCode(1) }
    }
  }
}

/// Sends entries in batches, and adds up the results.
///
/// The ids of the batches derive from the id of the input, so that a repeated input is counted
/// once.
private struct PerformanceCount {
  let id: UUID
  private var entries: [(entry: PerformanceEntry, line: Int)] = []
  private var batches: UInt32 = 0
  private var counted: Int64 = 0
  private(set) var refused: Int64 = 0
  private var replayed: Int64 = 0

  init(id: UUID) {
    self.id = id
  }

  var waiting: Int { entries.count }

  mutating func append(_ entry: PerformanceEntry, line: Int) {
    entries.append((entry, line))
  }

  mutating func send(to client: MockupClient, batchSize: Int) async throws {
    guard !entries.isEmpty else { return }
    var requests: [StreamPerformanceRequest] = []
    var lines: [String: [Int]] = [:]
    for start in stride(from: 0, to: entries.count, by: batchSize) {
      let part = entries[start..<min(start + batchSize, entries.count)]
      let batchID = id.following(by: batches).wireText
      batches += 1
      requests.append(StreamPerformanceRequest(batchID: batchID, entries: part.map(\.entry)))
      lines[batchID] = part.map(\.line)
    }
    let response = try await client.performance.record(requests)
    entries = []
    counted += response.counted
    refused += response.refused
    replayed += response.replayedBatches
    let refusals = response.refusals.map { refusal in
      let inBatch = lines[refusal.batchID] ?? []
      let index = Int(refusal.index)
      let line = inBatch.indices.contains(index) ? "\(inBatch[index])" : "?"
      return "line \(line): \(refusal.reason)"
    }
    for line in refusals { await StandardError.write(line: "mockupctl: \(line.visible())") }
  }

  var record: Record {
    Record([
      "id": .text(id.wireText),
      "batches": .number(Int64(batches)),
      "replayed_batches": .number(replayed),
      "counted": .number(counted),
      "refused": .number(refused),
    ])
  }
}

extension UUID {
  /// Returns an id that is derived from this one, and differs for each number.
  fileprivate func following(by number: UInt32) -> UUID {
    var bytes = uuid
    bytes.12 ^= UInt8(truncatingIfNeeded: number >> 24)
    bytes.13 ^= UInt8(truncatingIfNeeded: number >> 16)
    bytes.14 ^= UInt8(truncatingIfNeeded: number >> 8)
    bytes.15 ^= UInt8(truncatingIfNeeded: number)
    return UUID(uuid: bytes)
  }
}
