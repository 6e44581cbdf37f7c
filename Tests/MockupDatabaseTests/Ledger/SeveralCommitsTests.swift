import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct SeveralCommitsTests {
  @Test func `a reservation is spent in parts and the final commit releases the rest`() async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id)
      #expect(
        try await summary { try await ledger.commit(1, of: id, for: user, final: false) }
          == "held 1, 4 available")
      try await ledger.dispatch(id, for: user)
      let second = try await ledger.commit(2, of: id, for: user, final: false)
      #expect(summary(of: .success(second)) == "dispatched 3, 4 available")
      #expect(second.charged == 2)
      #expect(second.released == 0)
      #expect(second.reservation.held == 3)
      #expect(second.reservation.settledAt == nil)
      #expect(
        try await summary { try await ledger.commit(4, of: id, for: user) } == "more than 3")
      let last = try await ledger.commit(1, of: id, for: user)
      #expect(summary(of: .success(last)) == "committed 4, 6 available")
      #expect(last.charged == 1)
      #expect(last.released == 2)
      #expect(try await ledger.entries(of: user).map(\.credits) == [1, 2, 1])
      #expect(try await ledger.entries(of: user).map(\.balanceAfter) == [9, 7, 6])
    }
  }

  @Test func `a ledger table with an additional column accepts every kind of commit`() async throws
  {
    try await LedgerFixture.with { ledger in
      try await ledger.database.owner.run(
        "ALTER TABLE public.mockup_credit_usage ADD COLUMN note text")
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(3, for: user, id: id)
      _ = try await ledger.commit(1, of: id, for: user, final: false)
      let last = try await ledger.commit(4, of: id, for: user, overrun: true)
      #expect(summary(of: .success(last)) == "committed 5 (2 overrun), 5 available")
      #expect(try await ledger.entries(of: user).map(\.credits) == [1, 4])
    }
  }

  @Test func `every retried commit gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(6, for: user, id: id, seconds: 60)
      let commits = [UUID(), UUID(), UUID(), UUID()]
      let send: @Sendable (Int) async throws -> SettlementOutcome = { number in
        switch number {
        case 0: try await ledger.commit(2, of: id, for: user, id: commits[0], final: false)
        case 1: try await ledger.commit(3, of: id, for: user, id: commits[1], final: false)
        case 2:
          try await ledger.commit(4, of: id, for: user, id: commits[2], final: false, overrun: true)
        default: try await ledger.commit(0, of: id, for: user, id: commits[3])
        }
      }
      var firsts: [SettlementOutcome] = []
      for number in 0..<4 {
        firsts.append(try await send(number))
        if number == 0 { try await ledger.dispatch(id, for: user, seconds: 90) }
        if number == 1 { ledger.clock.advance(by: 90) }
      }
      #expect(
        firsts.map { summary(of: .success($0)) } == [
          "held 2, 4 available", "dispatched 5, 4 available",
          "late unresolved 9 (3 overrun), 1 available",
          "late committed 9 (3 overrun), 1 available",
        ])
      try await ledger.spend(1, for: user)
      for (number, first) in firsts.enumerated() {
        let again = try await send(number)
        #expect(again.isReplayed)
        var expected = first
        expected.isReplayed = true
        #expect(again == expected, "\(number)")
      }
      #expect(try await ledger.store.usage(of: user).generation == 10)
    }
  }

  @Test func `a commit id reused for another commit is rejected with the differing field`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (open, closed, commit) = (UUID(), UUID(), UUID())
      try await ledger.reserve(4, for: user, id: open)
      try await ledger.reserve(4, for: user, id: closed)
      try await ledger.commit(2, of: open, for: user, id: commit, final: false)
      try await ledger.commit(4, of: closed, for: user, id: commit)
      let table: [(UUID, Int32?, Bool, Bool, String)] = [
        (open, 3, false, false, "conflict in credits"),
        (open, nil, false, false, "conflict in credits"),
        (open, 2, true, false, "conflict in final"),
        (open, 2, false, true, "conflict in allow_overrun"),
        (open, 2, false, false, "replayed held 2, 2 available"),
        (closed, 3, true, false, "conflict in credits"),
        (closed, 4, false, false, "conflict in final"),
        (closed, 4, true, true, "conflict in allow_overrun"),
        (closed, nil, true, false, "replayed committed 4, 2 available"),
      ]
      for (id, credits, isFinal, overrun, expected) in table {
        let answer = try await summary {
          try await ledger.commit(
            credits, of: id, for: user, id: commit, final: isFinal, overrun: overrun)
        }
        #expect(answer == expected)
      }
    }
  }

  @Test func `spent credits stay spent after the rest is released or expires`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let (released, expired) = (UUID(), UUID())
      for id in [released, expired] {
        try await ledger.reserve(4, for: user, id: id, seconds: 60)
        try await ledger.commit(1, of: id, for: user, final: false)
      }
      let outcome = try await ledger.release(released, for: user)
      #expect(summary(of: .success(outcome)) == "committed 1, 5 available")
      #expect(outcome.released == 3)
      #expect(
        try await summary { try await ledger.release(released, for: user) }
          == "replayed committed 1, 5 available")
      ledger.clock.advance(by: 60)
      let reservation = try await ledger.store.reservation(expired, of: user)
      #expect(reservation.state == .expired)
      #expect(reservation.committed == 1)
      #expect(try await ledger.store.usage(of: user).available == 8)
      // Several late commits are possible too, up to the reserved credits.
      #expect(
        try await summary { try await ledger.commit(2, of: expired, for: user, final: false) }
          == "late expired 3, 6 available")
      #expect(
        try await summary { try await ledger.commit(2, of: expired, for: user) } == "more than 1")
      #expect(
        try await summary { try await ledger.commit(of: expired, for: user) }
          == "late committed 4, 5 available")
    }
  }

  @Test func `a retried release after a late commit gets its first answer`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(4, for: user, id: id, seconds: 60)
      try await ledger.dispatch(id, for: user)
      ledger.clock.advance(by: 60)
      try await ledger.commit(1, of: id, for: user, final: false)
      var first = try await ledger.release(id, for: user)
      #expect(first.isLate)
      first.isReplayed = true
      #expect(try await ledger.release(id, for: user) == first)
    }
  }

  @Test func `an open reservation may have spent all of its credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(4, for: user, id: id)
      #expect(
        try await summary { try await ledger.commit(of: id, for: user, final: false) }
          == "held 4, 6 available")
      #expect(
        try await summary { try await ledger.commit(1, of: id, for: user) } == "more than 0")
      #expect(
        try await summary { try await ledger.commit(0, of: id, for: user) }
          == "committed 4, 6 available")
      #expect(try await ledger.entries(of: user).count == 1)
    }
  }

  @Test func `an overrun is taken from the available credits and recorded`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(4, for: user, id: id)
      try await ledger.reserve(3, for: user)
      #expect(try await summary { try await ledger.commit(5, of: id, for: user) } == "more than 4")
      #expect(
        try await summary { try await ledger.commit(8, of: id, for: user, overrun: true) }
          == "insufficient, 3 available")
      #expect(try await ledger.store.reservation(id, of: user).held == 4)
      let outcome = try await ledger.commit(7, of: id, for: user, overrun: true)
      #expect(summary(of: .success(outcome)) == "committed 7 (3 overrun), 0 available")
      #expect(outcome.overrun == 3)
      #expect(outcome.released == 0)
      let entry = try #require(try await ledger.entries(of: user).last)
      #expect(entry.credits == 7)
      #expect(entry.overrun == 3)
    }
  }

  @Test func `an overrun of an expired reservation needs all of its credits available`()
    async throws
  {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let id = UUID()
      try await ledger.reserve(4, for: user, id: id, seconds: 60)
      ledger.clock.advance(by: 60)
      try await ledger.reserve(4, for: user)
      #expect(
        try await summary { try await ledger.commit(7, of: id, for: user, overrun: true) }
          == "insufficient, 6 available")
      #expect(
        try await summary { try await ledger.commit(6, of: id, for: user, overrun: true) }
          == "late committed 6 (2 overrun), 0 available")
    }
  }
}
