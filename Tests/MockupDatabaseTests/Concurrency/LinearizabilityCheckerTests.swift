import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct LinearizabilityCheckerTests {
  private typealias Recorded = RecordedCall<LedgerCall, [String]>

  private static let user = UUID()
  private static let (first, second, group) = (UUID(), UUID(), UUID())

  private static func reserve(_ id: UUID, _ credits: Int32) throws -> LedgerCall {
    .reserve(
      [try ReservationRequest(userID: user, id: id, credits: credits, groupID: group)],
      allOrNothing: false)
  }

  private static func settle(_ ids: (UUID, Settlement.Action)...) -> LedgerCall {
    .settle(
      ids.map { Settlement(userID: user, reservationID: $0, action: $1) }, allOrNothing: false)
  }

  /// Checks whether a history is linearizable, from a budget of 10.
  private func isLinearizable(
    _ calls: [(call: LedgerCall, answer: [String]?, start: Int, end: Int)]
  ) -> Bool {
    var model = ModelLedger(now: Date(timeIntervalSince1970: 1_778_000_000))
    model.budgets[Self.user] = 10
    let checker = LinearizabilityChecker(from: model) { model, call in
      model.answer(call, of: Self.user)
    }
    let history = calls.map {
      Recorded(client: 0, call: $0.call, answer: $0.answer, start: $0.start, end: $0.end)
    }
    if case .linearizable = checker.check(history) { return true }
    return false
  }

  @Test func `sequential calls see the effects of earlier calls`() throws {
    let reserve = try Self.reserve(Self.first, 4)
    #expect(
      isLinearizable([
        (.usage, ["held 0, 10 available"], 1, 2), (reserve, ["admitted, 6 remaining"], 3, 4),
        (.usage, ["held 4, 6 available"], 5, 6),
      ]))
    #expect(
      !isLinearizable([
        (reserve, ["admitted, 6 remaining"], 1, 2), (.usage, ["held 0, 10 available"], 3, 4),
      ]))
  }

  @Test func `overlapping calls may take effect in either order`() throws {
    let reserve = try Self.reserve(Self.first, 4)
    for usage in ["held 0, 10 available", "held 4, 6 available"] {
      #expect(
        isLinearizable([(reserve, ["admitted, 6 remaining"], 1, 4), (.usage, [usage], 2, 3)]))
    }
    #expect(
      !isLinearizable([
        (reserve, ["admitted, 6 remaining"], 1, 4), (.usage, ["held 2, 8 available"], 2, 3),
      ]))
    // After a call has seen an effect, later calls see it too.
    #expect(
      !isLinearizable([
        (reserve, ["admitted, 6 remaining"], 1, 8), (.usage, ["held 4, 6 available"], 2, 3),
        (.usage, ["held 0, 10 available"], 4, 5),
      ]))
  }

  @Test func `a call without an answer takes effect at any later time or never`() throws {
    let reserve = try Self.reserve(Self.first, 4)
    let (before, after) = ("held 0, 10 available", "held 4, 6 available")
    for (seen, then, isPossible) in [
      (before, before, true), (before, after, true), (after, after, true), (after, before, false),
    ] {
      #expect(
        isLinearizable([(reserve, nil, 1, 2), (.usage, [seen], 3, 4), (.usage, [then], 5, 6)])
          == isPossible)
    }
    // A call cannot take effect before it is made, or take effect twice.
    #expect(
      !isLinearizable([(.usage, [after], 1, 2), (reserve, nil, 3, 4), (.usage, [before], 5, 6)]))
    #expect(
      isLinearizable([(reserve, nil, 1, 2), (reserve, ["replayed admitted, 6 remaining"], 3, 4)]))
    #expect(!isLinearizable([(reserve, ["replayed admitted, 6 remaining"], 3, 4)]))
  }

  /// The rejected answer counts a reservation of the group that is not released.
  @Test func `a history with a partial group release is rejected`() throws {
    let (one, two) = (try Self.reserve(Self.first, 5), try Self.reserve(Self.second, 5))
    for (release, isPossible) in [
      ("released 5 of 1, 5 available", false), ("released 5 of 1, 10 available", true),
      ("released 10 of 2, 10 available", true),
    ] {
      #expect(
        isLinearizable([
          (one, ["admitted, 5 remaining"], 1, 2), (.releaseGroup(Self.group), [release], 3, 6),
          (
            two, [release.contains("of 1, 10") ? "admitted, 5 remaining" : "admitted, 0 remaining"],
            4, 5
          ),
        ]) == isPossible)
    }
  }

  /// In the rejected answer, one item counts a reservation that another item does not know.
  @Test func `a batch whose items see different states is rejected`() throws {
    let (one, two) = (try Self.reserve(Self.first, 3), try Self.reserve(Self.second, 5))
    let batch = Self.settle(
      (Self.first, .release),
      (Self.second, .commit(id: Self.group, credits: 1, isFinal: false)))
    for (answers, isPossible) in [
      (["released 0, 5 available", "unknown reservation"], false),
      (["released 0, 5 available", "held 1, 5 available"], true),
      (["released 0, 10 available", "unknown reservation"], true),
    ] {
      let remaining = answers[0].contains("10") ? 5 : 2
      #expect(
        isLinearizable([
          (one, ["admitted, 7 remaining"], 1, 2), (batch, answers, 3, 6),
          (two, ["admitted, \(remaining) remaining"], 4, 5),
        ]) == isPossible)
    }
  }

  @Test func `a search that exceeds its limit is undecided`() throws {
    let model = ModelLedger(now: Date(timeIntervalSince1970: 1_778_000_000))
    let checker = LinearizabilityChecker(from: model, limit: 3) { model, call in
      model.answer(call, of: Self.user)
    }
    let calls = (0..<8).map {
      Recorded(
        client: $0, call: .setBudget(Int64($0)), answer: ["\($0) available"], start: 0, end: 9)
    }
    guard case .undecided = checker.check(calls) else {
      Issue.record("the search exceeded its limit and was decided")
      return
    }
  }
}
