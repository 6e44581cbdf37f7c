public import FoundationEssentials
public import MockupAPI
public import TTRPC
internal import TimeOrderedID

/// What a recorder has counted.
public struct PerformanceSummary: Sendable, Hashable {
  /// Entries that were counted: what is added for one mockup is merged into one, as far as it travels
  /// together.
  public var counted = 0
  /// Entries that were not.
  public var refused = 0
  /// The first of those that were not, up to 1000.
  public var refusals: [RefusedPerformance] = []
}

/// An entry that was not counted.
public struct RefusedPerformance: Sendable, Hashable {
  public var entry: PerformanceEntry
  /// The server's words.
  public var reason: String
}

/// Gathers pins and impressions, and sends them in batches of 500 mockups.
///
/// A batch keeps its id until it is counted, so that nothing is lost or counted twice where the server
/// goes away and comes back. What was added and not yet counted is lost only with the process.
public actor PerformanceRecorder {
  /// How many mockups make up a batch.
  static let batchSize = 500
  /// How many batches travel in one stream: well below what a server lets wait.
  private static let batchesPerStream = 32
  private static let mostRefusals = 1000

  private struct Mockup: Hashable {
    let user: UUID
    let id: UUID
  }

  private let performance: Performance
  // What may still be merged, and its order.
  private var places: [Mockup: Int] = [:]
  private var open: [PerformanceEntry] = []
  /// What is on its way, or waits for it.
  private var batches: [StreamPerformanceRequest] = []
  private var summary = PerformanceSummary()
  private var isSending = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ performance: Performance) {
    self.performance = performance
  }

  /// Adds to a mockup's pins and impressions. Sends what there is once there is enough of it, and
  /// suspends meanwhile.
  ///
  /// - Throws: ``RPCError`` where the server does not take what was added before; then this was not
  ///   added. INVALID_ARGUMENT for a number below 0, or above what 32 bits hold.
  public func add(
    _ mockup: UUID, of user: UUID, pins: Int = 0, impressions: Int = 0
  ) async throws(RPCError) {
    let pins = try Int32.count(pins, "pins")
    let impressions = try Int32.count(impressions, "impressions")
    while batches.count >= Self.batchesPerStream { try await send() }
    let name = Mockup(user: user, id: mockup)
    if let place = places[name], open[place].add(pins, impressions) { return }
    places[name] = open.count
    open.append(
      PerformanceEntry(
        userID: user.wireText, mockupID: mockup.wireText, pins: pins, impressions: impressions))
    if open.count == Self.batchSize { cut() }
  }

  /// Sends all that was added, and waits until it is counted.
  ///
  /// - Returns: What was counted so far.
  @discardableResult
  public func flush() async throws(RPCError) -> PerformanceSummary {
    cut()
    while !batches.isEmpty { try await send() }
    return summary
  }

  /// Makes a batch of what may still be merged.
  private func cut() {
    guard !open.isEmpty else { return }
    batches.append(StreamPerformanceRequest(batchID: UUID.timeOrdered().wireText, entries: open))
    open.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }

  /// Sends the first batches, or waits for who is sending.
  private func send() async throws(RPCError) {
    guard !isSending else {
      return await withCheckedContinuation { waiting.append($0) }
    }
    isSending = true
    defer {
      isSending = false
      for waiter in waiting { waiter.resume() }
      waiting = []
    }
    let sent = Array(batches.prefix(Self.batchesPerStream))
    let response = try await performance.record(sent)
    // Others only append.
    batches.removeFirst(sent.count)
    summary.add(response, of: sent, upTo: Self.mostRefusals)
  }
}

extension PerformanceSummary {
  fileprivate mutating func add(
    _ response: StreamPerformanceResponse, of batches: [StreamPerformanceRequest],
    upTo limit: Int
  ) {
    counted += Int(response.counted)
    refused += Int(response.refused)
    for refusal in response.refusals where refusals.count < limit {
      let batch = batches.first { $0.batchID == refusal.batchID }
      guard let batch, batch.entries.indices.contains(Int(refusal.index)) else { continue }
      refusals.append(
        RefusedPerformance(entry: batch.entries[Int(refusal.index)], reason: refusal.reason))
    }
  }
}

extension PerformanceEntry {
  /// Adds to an entry, unless 32 bits do not hold what it comes to.
  fileprivate mutating func add(_ pins: Int32, _ impressions: Int32) -> Bool {
    let (pins, pinsOverflow) = self.pins.addingReportingOverflow(pins)
    let (impressions, overflow) = self.impressions.addingReportingOverflow(impressions)
    guard !pinsOverflow, !overflow else { return false }
    self.pins = pins
    self.impressions = impressions
    return true
  }
}

extension Int32 {
  fileprivate static func count(_ number: Int, _ name: String) throws(RPCError) -> Int32 {
    guard let number = Int32(exactly: number), number >= 0 else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(number) is out of range")
    }
    return number
  }
}
