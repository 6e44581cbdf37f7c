internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct PerformanceCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "performance", abstract: "Count the pins and impressions of mockups.",
    subcommands: [RecordPerformance.self])
}

struct RecordPerformance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Add pins and impressions to mockups.",
    discussion: """
      Of one mockup, by arguments; or of any number of them, from the lines of standard input, each of \
      which is a JSON object with user_id, mockup_id, pins and impressions, or these four with commas \
      between them. The same input under the same --id counts once, however often it is sent.

      A line that is not counted is told on standard error, the first 100 of each 16000, and the exit \
      code is 1.
      """)

  @Argument(help: "The user's id. (default: standard input is read)")
  var user: UUID?

  @Argument(help: "The mockup's id.")
  var mockup: UUID?

  @Option(help: "How many pins more.")
  var pins: Int32 = 0

  @Option(help: "How many impressions more.")
  var impressions: Int32 = 0

  @Option(help: "The input's id. (default: a new one)")
  var id: UUID?

  @OptionGroup var connection: Connection

  /// How many entries make up a batch, and how many batches travel together.
  private static let batchSize = 500
  private static let batchesPerCall = 32

  func validate() throws {
    guard (user == nil) == (mockup == nil) else {
      throw ValidationError("A user and a mockup, or neither and standard input.")
    }
    guard user == nil || pins != 0 || impressions != 0 else {
      throw ValidationError("There is nothing to add: see --pins and --impressions.")
    }
  }

  func run() async throws {
    var count = PerformanceCount(id: id ?? UUID())
    try await connection.run { client in
      do {
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
      } catch let complaint as Complaint {
        complaint.write()
        throw ExitCode(complaint.exitCode)
      }
      try connection.output.write(count.record)
      guard count.refused == 0 else { throw ExitCode(1) }
    }
  }
}

/// Sends entries in batches whose ids follow from the input's, and counts what becomes of them.
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
    let words = response.refusals.map { refusal in
      let inBatch = lines[refusal.batchID] ?? []
      let index = Int(refusal.index)
      let line = inBatch.indices.contains(index) ? "\(inBatch[index])" : "?"
      return "line \(line): \(refusal.reason)"
    }
    Complaint(words, exitCode: 1).write()
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
  /// An id that differs from this one, and from those that follow it by other numbers.
  fileprivate func following(by number: UInt32) -> UUID {
    var bytes = uuid
    bytes.12 ^= UInt8(truncatingIfNeeded: number >> 24)
    bytes.13 ^= UInt8(truncatingIfNeeded: number >> 16)
    bytes.14 ^= UInt8(truncatingIfNeeded: number >> 8)
    bytes.15 ^= UInt8(truncatingIfNeeded: number)
    return UUID(uuid: bytes)
  }
}
