internal import Synchronization

/// A call of a client, and its answer.
public struct RecordedCall<Call: Sendable, Answer: Sendable>: Sendable {
  /// The number of the client that made the call.
  public let client: Int
  /// The call.
  public let call: Call
  /// The answer; `nil` if it was lost: the call may take effect at any time after its start, or
  /// never.
  public let answer: Answer?
  /// The position of the start in the order of all starts and ends.
  public let start: Int
  /// The position of the end in the order of all starts and ends; `.max` if the answer was lost.
  public let end: Int

  /// Creates a record; a call without an answer has no end.
  public init(client: Int, call: Call, answer: Answer?, start: Int, end: Int) {
    self.client = client
    self.call = call
    self.answer = answer
    self.start = start
    self.end = answer == nil ? .max : end
  }
}

/// A recorder of the calls of concurrent clients.
public final class HistoryRecorder<Call: Sendable, Answer: Sendable>: Sendable {
  private let state = Mutex((time: 0, calls: [RecordedCall<Call, Answer>]()))

  /// Creates an empty history.
  public init() {}

  /// The calls so far, in the order of their ends.
  public var calls: [RecordedCall<Call, Answer>] { state.withLock { $0.calls } }

  /// Makes a call and records it with its answer.
  ///
  /// - Parameter body: Makes the call; returns `nil` if the answer is lost.
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

/// A checker that decides whether a history is linearizable.
///
/// A history is linearizable if there is an order of its calls in which a sequential model gives
/// every recorded answer, and which keeps the order of calls that did not overlap.
///
/// The search is Wing and Gong's with Lowe's memoization: a set of calls that led to a state is not
/// tried again. The worst case is exponential, so the search has a limit.
public struct LinearizabilityChecker<State: Hashable, Call: Sendable, Answer: Equatable & Sendable>
{
  /// The result of a check.
  public enum Verdict: Sendable {
    /// There is such an order.
    case linearizable
    /// There is no such order. The text has the longest order that was found, and the model's
    /// answers to the calls that could be next.
    case impossible(String)
    /// The search has reached its limit.
    case undecided
  }

  private let initial: State
  private let limit: Int
  private let apply: (inout State, Call) -> Answer

  /// Creates a checker with a model.
  ///
  /// - Parameters:
  ///   - initial: The state of the model before the first call.
  ///   - limit: The maximum number of states to visit.
  ///   - apply: Makes a call of the model, and returns its answer.
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

  /// Checks a history.
  public func check(_ history: [RecordedCall<Call, Answer>]) -> Verdict {
    // Calls are tried in the order of their ends, so that most histories need no second try.
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
          // A lost call without an effect can be left out.
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
