internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams
internal import VisibleText

/// Sends entries in batches, and adds up the results.
///
/// The ids of the batches derive from the id of the input, so that a repeated input is counted
/// once.
struct PerformanceSender {
  let id: UUID
  private var entries: [(entry: PerformanceEntry, line: Int)] = []
  private var batches: UInt32 = 0
  private var counted: Int64 = 0
  private(set) var refused: Int64 = 0
  private var replayed: Int64 = 0

  init(id: UUID) {
    self.id = id
  }

  /// The number of entries that were not sent yet.
  var unsentCount: Int { entries.count }

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
