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
  private var entries: [(entry: PerformanceEntry, line: Int?)] = []
  private var batches: UInt32 = 0
  private var counted: Int64 = 0
  private(set) var refused: Int64 = 0
  private var replayed: Int64 = 0

  init(id: UUID) {
    self.id = id
  }

  /// The number of entries that were not sent yet.
  var unsentCount: Int { entries.count }

  /// - Parameter line: The line of the input; `nil` for an entry from arguments.
  mutating func append(_ entry: PerformanceEntry, line: Int?) {
    entries.append((entry, line))
  }

  mutating func send(to client: MockupClient, batchSize: Int) async throws {
    guard !entries.isEmpty else { return }
    var requests: [StreamPerformanceRequest] = []
    var lines: [String: [Int?]] = [:]
    for start in stride(from: 0, to: entries.count, by: batchSize) {
      let part = entries[start..<min(start + batchSize, entries.count)]
      let batchID = id.batch(batches).wireText
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
      guard inBatch.indices.contains(index) else { return "line ?: \(refusal.reason)" }
      return inBatch[index].map { "line \($0): \(refusal.reason)" } ?? refusal.reason
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
  /// Returns the id of a batch of the input with this id: this id for batch 0, and otherwise a UUID
  /// of version 8 (RFC 9562) that depends on the id and the number.
  ///
  /// For each number, the bits are a permutation of the id's: a Feistel network whose round
  /// function changes each bit of its result with a probability of a half for each bit of its
  /// argument. Two ids therefore share batches as rarely as random ids are equal, even if they
  /// differ in one bit.
  func batch(_ number: UInt32) -> UUID {
    guard number > 0 else { return self }
    var (left, right) = halves
    for round in 1...8 as ClosedRange<UInt64> {
      (left, right) = (right, left ^ (right &+ UInt64(number) << 32 &+ round).mixed)
    }
    left = left & ~0xF000 | 0x8000
    right = right & ~(0x3 << 62) | 0x2 << 62
    return UUID(halves: (left, right))
  }

  private var halves: (UInt64, UInt64) {
    let bytes = uuid
    func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    return (
      number([bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7]),
      number([bytes.8, bytes.9, bytes.10, bytes.11, bytes.12, bytes.13, bytes.14, bytes.15])
    )
  }

  private init(halves: (UInt64, UInt64)) {
    func byte(_ number: UInt64, _ index: UInt64) -> UInt8 {
      UInt8(truncatingIfNeeded: number >> (56 - 8 * index))
    }
    let (a, b) = halves
    self.init(
      uuid: (
        byte(a, 0), byte(a, 1), byte(a, 2), byte(a, 3), byte(a, 4), byte(a, 5), byte(a, 6),
        byte(a, 7), byte(b, 0), byte(b, 1), byte(b, 2), byte(b, 3), byte(b, 4), byte(b, 5),
        byte(b, 6), byte(b, 7)
      ))
  }
}

extension UInt64 {
  /// The number with its bits mixed, as by SplitMix64 (Steele, Lea and Flood 2014).
  fileprivate var mixed: UInt64 {
    var bits = self &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}
