internal import Foundation
internal import NIOConcurrencyHelpers

/// A writer of lines to a descriptor that uses a thread of its own and never blocks its callers.
///
/// Lines wait for a slow reader in a queue with a maximum size. Lines that do not fit into it are
/// lost, and the next line that fits is preceded by a line with the number of lost lines. If
/// writing to the descriptor fails, the lines are lost without an error.
public final class LineWriter: Sendable {
  fileprivate struct State {
    var lines: [String] = []
    /// The size of the waiting lines and of those that are being written.
    var bytes = 0
    /// The number of lines lost since the last line that was accepted.
    var lost = 0
    var isWriting = false
    var flushes: [UUID: CheckedContinuation<Void, Never>] = [:]
  }

  private let descriptor: Int32
  private let maxWaitingBytes: Int
  private let lossNotice: @Sendable (Int) -> String
  private let onLoss: @Sendable () -> Void
  private let state = NIOLockedValueBox(State())
  private let work = DispatchSemaphore(value: 0)

  /// Creates a writer and starts its thread, which runs until the process ends.
  ///
  /// - Parameters:
  ///   - descriptor: The descriptor to write to, which must stay open.
  ///   - maxWaitingBytes: The maximum size of the lines that wait, in bytes; 1 MiB by default.
  ///   - onLoss: Called for each lost line, on the thread that wrote it.
  ///   - lossNotice: Returns the line that reports a number of lost lines.
  public init(
    _ descriptor: Int32, maxWaitingBytes: Int = 1 << 20,
    onLoss: @escaping @Sendable () -> Void = {},
    lossNotice: @escaping @Sendable (Int) -> String = { "\($0) lines were lost" }
  ) {
    self.descriptor = descriptor
    self.maxWaitingBytes = maxWaitingBytes
    self.onLoss = onLoss
    self.lossNotice = lossNotice
    Thread.detachNewThread { self.run() }
  }

  /// Queues a line, or drops it if the queue is full.
  public func write(_ line: String) {
    let isTaken = state.withLockedValue { state in
      guard state.bytes + line.utf8.count < maxWaitingBytes else {
        state.lost += 1
        return false
      }
      state.addLossNotice(lossNotice)
      state.add(line)
      return true
    }
    if isTaken { work.signal() } else { onLoss() }
  }

  /// Waits until all queued lines are written, or until a time limit has passed.
  ///
  /// - Returns: True if all lines are written.
  public func flush(
    within limit: Duration, clock: some Clock<Duration> = ContinuousClock()
  ) async -> Bool {
    state.withLockedValue { $0.addLossNotice(lossNotice) }
    work.signal()
    return await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await self.waitUntilWritten()
        return !Task.isCancelled
      }
      group.addTask {
        try? await clock.sleep(for: limit)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }

  private func waitUntilWritten() async {
    let id = UUID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLockedValue { state in
          if Task.isCancelled || (state.lines.isEmpty && !state.isWriting) { return true }
          state.flushes[id] = continuation
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      state.withLockedValue { $0.flushes.removeValue(forKey: id) }?.resume()
    }
  }

  /// Writes queued lines for ever; the body of the thread.
  private func run() {
    while true {
      work.wait()
      let lines = state.withLockedValue { state in
        state.isWriting = !state.lines.isEmpty
        return exchange(&state.lines, with: [])
      }
      guard !lines.isEmpty else { continue }
      let bytes = lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
      _ = StandardDescriptors.write(bytes, to: descriptor)
      let flushes = state.withLockedValue { state in
        state.bytes -= bytes.count
        state.isWriting = false
        guard state.lines.isEmpty else { return [CheckedContinuation<Void, Never>]() }
        return exchange(&state.flushes, with: [:]).map(\.value)
      }
      for flush in flushes { flush.resume() }
    }
  }
}

extension LineWriter.State {
  fileprivate mutating func add(_ line: String) {
    lines.append(line)
    bytes += line.utf8.count + 1
  }

  fileprivate mutating func addLossNotice(_ notice: (Int) -> String) {
    guard lost > 0 else { return }
    add(notice(exchange(&lost, with: 0)))
  }
}
