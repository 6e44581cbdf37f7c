internal import Foundation
internal import NIOConcurrencyHelpers

/// Writes lines to a descriptor from a thread of its own, and never makes a caller wait.
///
/// Lines that wait for a slow reader are bounded by their bytes. Further ones are lost, and the next
/// line that fits is preceded by one that says how many. A descriptor that cannot be written at all
/// loses every line, without an error.
public final class LineWriter: Sendable {
  fileprivate struct State {
    var lines: [String] = []
    /// Of the lines that wait and of those that are being written.
    var bytes = 0
    /// Since the last line that was taken.
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

  /// Starts the thread, which ends with the process.
  ///
  /// - Parameters:
  ///   - maxWaitingBytes: How much may wait for the reader.
  ///   - onLoss: Called for each lost line, by the one that wrote it.
  ///   - lossNotice: The line that tells how many were lost.
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

  /// Adds a line, or loses it where too much waits.
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

  /// Waits until the lines are written, but not for longer than a limit.
  ///
  /// - Returns: Whether they are.
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

  /// The thread's: writes what waits, over and over.
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
