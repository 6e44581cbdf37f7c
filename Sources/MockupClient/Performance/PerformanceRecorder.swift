public import FoundationEssentials
public import MockupAPI
public import TTRPC
internal import TimeOrderedID

/// The totals of a recorder.
public struct PerformanceSummary: Sendable, Hashable {
  /// The number of counted entries.
  ///
  /// Additions to one mockup within a batch are merged into one entry.
  public var counted = 0
  /// The number of refused entries.
  public var refused = 0
  /// The first refused entries, up to 1000.
  public var refusals: [RefusedPerformance] = []
}

/// An entry that was not counted.
public struct RefusedPerformance: Sendable, Hashable {
  /// The entry that was refused, with all additions that were merged into it.
  public var entry: PerformanceEntry
  /// The server's message.
  public var reason: String
}

/// A recorder that collects pins and impressions, and sends them in batches of 500 mockups.
///
/// A batch keeps its id until it is counted, so nothing is lost or counted twice if the server
/// becomes unavailable. Additions that are not yet counted are lost if the process exits.
public actor PerformanceRecorder {
  /// The number of mockups in a batch.
  static let batchSize = 500
  /// The maximum number of batches in one stream, well below the limit of the server's queue.
  private static let batchesPerStream = 32
  private static let maxRefusals = 1000

  private struct Mockup: Hashable {
    let user: UUID
    let id: UUID
  }

  private let performance: Performance
  /// The index of each mockup's entry in the open batch.
  private var indexes: [Mockup: Int] = [:]
  /// The entries of the open batch, into which additions are merged.
  private var open: [PerformanceEntry] = []
  /// The batches that are in flight or wait to be sent.
  private var batches: [StreamPerformanceRequest] = []
  private var summary = PerformanceSummary()
  private var isSending = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ performance: Performance) {
    self.performance = performance
  }

  /// Adds pins and impressions to a mockup.
  ///
  /// If enough batches are waiting, the call first sends them and waits for the server.
  ///
  /// - Parameters:
  ///   - mockup: The id of the mockup. If the user has no such mockup, the server refuses the entry
  ///     (``PerformanceSummary/refused``).
  ///   - user: The owner of the mockup.
  ///   - pins: The pins to add, 0 or more.
  ///   - impressions: The impressions to add, 0 or more.
  /// - Throws: INVALID_ARGUMENT if a number is negative or does not fit into 32 bits; another
  ///   `RPCError` if the waiting batches cannot be sent. Nothing was added then.
  public func add(
    _ mockup: UUID, of user: UUID, pins: Int = 0, impressions: Int = 0
  ) async throws(RPCError) {
    let pins = try Int32.wire(pins, "pins", in: 0 ... .max)
    let impressions = try Int32.wire(impressions, "impressions", in: 0 ... .max)
    while batches.count >= Self.batchesPerStream { try await send() }
    let name = Mockup(user: user, id: mockup)
    if let index = indexes[name], open[index].add(pins, impressions) { return }
    indexes[name] = open.count
    open.append(
      PerformanceEntry(
        userID: user.wireText, mockupID: mockup.wireText, pins: pins, impressions: impressions))
    if open.count == Self.batchSize { closeBatch() }
  }

  /// Sends everything that was added, and waits until it is counted.
  ///
  /// - Returns: The totals so far.
  /// - Throws: `RPCError` if a batch cannot be sent. The batch is kept, so the call can be
  ///   retried.
  @discardableResult
  public func flush() async throws(RPCError) -> PerformanceSummary {
    closeBatch()
    while !batches.isEmpty { try await send() }
    return summary
  }

  /// Closes the open batch, and queues it for sending.
  private func closeBatch() {
    guard !open.isEmpty else { return }
    batches.append(StreamPerformanceRequest(batchID: UUID.timeOrdered().wireText, entries: open))
    open.removeAll(keepingCapacity: true)
    indexes.removeAll(keepingCapacity: true)
  }

  /// Sends the first batches, or waits for another task that is sending.
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
    // Other tasks have only appended batches meanwhile.
    batches.removeFirst(sent.count)
    summary.add(response, of: sent, upTo: Self.maxRefusals)
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
  /// Adds to an entry, if the sums fit into 32 bits.
  ///
  /// - Returns: True if the numbers were added.
  fileprivate mutating func add(_ pins: Int32, _ impressions: Int32) -> Bool {
    let (pins, pinsOverflow) = self.pins.addingReportingOverflow(pins)
    let (impressions, overflow) = self.impressions.addingReportingOverflow(impressions)
    guard !pinsOverflow, !overflow else { return false }
    self.pins = pins
    self.impressions = impressions
    return true
  }
}
