internal import Synchronization

/// A call that a client made, and what came of it.
public struct RecordedCall<Call: Sendable, Answer: Sendable>: Sendable {
  public let client: Int
  public let call: Call
  /// `nil` where the answer was lost: the call may take effect at any time after its start, or never.
  public let answer: Answer?
  /// Places in one order of all starts and ends.
  public let start: Int
  public let end: Int

  public init(client: Int, call: Call, answer: Answer?, start: Int, end: Int) {
    self.client = client
    self.call = call
    self.answer = answer
    self.start = start
    self.end = answer == nil ? .max : end
  }
}

/// Records the calls of clients that run at the same time.
public final class HistoryRecorder<Call: Sendable, Answer: Sendable>: Sendable {
  private let state = Mutex((time: 0, calls: [RecordedCall<Call, Answer>]()))

  public init() {}

  public var calls: [RecordedCall<Call, Answer>] { state.withLock { $0.calls } }

  /// Makes a call and records it with its answer.
  ///
  /// - Parameter body: Makes the call; returns `nil` where the answer is lost.
  @discardableResult
  public func record(
    _ call: Call, by client: Int, _ body: () async throws -> Answer?
  ) async throws -> Answer? {
    let start = tick()
    let answer = try await body()
    state.withLock {
      $0.time += 1
      $0.calls.append(
        RecordedCall(client: client, call: call, answer: answer, start: start, end: $0.time))
    }
    return answer
  }

  private func tick() -> Int {
    state.withLock {
      $0.time += 1
      return $0.time
    }
  }
}

/// Decides whether a history is linearizable: whether some order of its calls, which keeps the order of
/// calls that did not overlap, gives every answer when a sequential model makes them one by one.
///
/// The search is Wing and Gong's with Lowe's memory: a set of calls that led to a state once is not tried
/// again. The worst case is exponential, so the search has a limit.
public struct LinearizabilityChecker<State: Hashable, Call: Sendable, Answer: Equatable & Sendable>
{
  public enum Verdict: Sendable {
    case linearizable
    /// With the longest order that was found, and what the model answers to each call that could be next.
    case impossible(String)
    /// The limit was reached.
    case undecided
  }

  private let initial: State
  private let limit: Int
  private let apply: (inout State, Call) -> Answer

  /// - Parameters:
  ///   - limit: How many states to visit at most.
  ///   - apply: Makes a call of the model.
  public init(
    from initial: State, limit: Int = 200_000, apply: @escaping (inout State, Call) -> Answer
  ) {
    self.initial = initial
    self.limit = limit
    self.apply = apply
  }

  private struct Node: Hashable {
    var made: [Bool]
    var state: State
  }

  public func check(_ history: [RecordedCall<Call, Answer>]) -> Verdict {
    // Those that ended first are tried first: most histories then need no second try.
    let calls = history.sorted { ($0.end, $0.start) < ($1.end, $1.start) }
    var visited: Set<Node> = []
    var stack = [
      (node: Node(made: calls.map { _ in false }, state: initial), order: [Int]())
    ]
    var longest: (order: [Int], node: Node)?
    while let (node, order) = stack.popLast() {
      guard visited.insert(node).inserted else { continue }
      guard visited.count <= limit else { return .undecided }
      // A call may be next if no other has ended before it began.
      guard let first = calls.indices.first(where: { !node.made[$0] }), calls[first].answer != nil
      else { return .linearizable }
      if order.count >= longest?.order.count ?? 0 { longest = (order, node) }
      var next: [(node: Node, order: [Int])] = []
      for index in calls.indices
      where !node.made[index] && calls[index].start < calls[first].end {
        var state = node.state
        let answer = apply(&state, calls[index].call)
        if let given = calls[index].answer {
          guard answer == given else { continue }
        } else if state == node.state {
          // Without effect it need not happen at all.
          continue
        }
        var made = node.made
        made[index] = true
        next.append((Node(made: made, state: state), order + [index]))
      }
      stack.append(contentsOf: next.reversed())
    }
    return .impossible(describe(calls, longest?.order ?? [], longest?.node))
  }

  private func describe(
    _ calls: [RecordedCall<Call, Answer>], _ order: [Int], _ node: Node?
  ) -> String {
    var lines = order.suffix(12).map { index in "made: \(line(calls[index]))" }
    guard let node, let first = calls.indices.first(where: { !node.made[$0] }) else {
      return lines.joined(separator: "\n")
    }
    for index in calls.indices where !node.made[index] && calls[index].start < calls[first].end {
      var state = node.state
      let answer = apply(&state, calls[index].call)
      lines.append("impossible: \(line(calls[index])), the model answers \(answer)")
    }
    return lines.joined(separator: "\n")
  }

  private func line(_ call: RecordedCall<Call, Answer>) -> String {
    let end = call.answer == nil ? "lost" : "\(call.end)"
    let answer = call.answer.map { "\($0)" } ?? "?"
    return "\(call.start)…\(end) client \(call.client): \(call.call) → \(answer)"
  }
}
