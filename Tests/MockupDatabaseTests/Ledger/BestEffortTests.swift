import FoundationEssentials
import MockupDatabase
import MockupCore
import Testing

@Suite struct BestEffortTests {
  @Test func `a best-effort reservation takes the available credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.reserve(4, for: user)
      let (part, none) = (UUID(), UUID())
      let outcome = try await ledger.reserve(9, for: user, id: part, mode: .bestEffort)
      #expect(summary(of: .success(outcome)) == "admitted, 0 remaining")
      #expect(outcome.reservation.credits == 9)
      #expect(outcome.reservation.granted == 6)
      #expect(outcome.reservation.held == 6)
      #expect(try await ledger.store.reservation(part, of: user) == outcome.reservation)
      let refused = try await ledger.reserve(1, for: user, id: none, mode: .bestEffort)
      #expect(summary(of: .success(refused)) == "refused, 0 remaining")
      #expect(refused.reservation.granted == 0)
      try await ledger.release(part, for: user)
      #expect(
        try await summary { try await ledger.reserve(9, for: user, id: part, mode: .bestEffort) }
          == "replayed admitted, 0 remaining")
      #expect(
        try await summary { try await ledger.reserve(1, for: user, id: none, mode: .bestEffort) }
          == "replayed refused, 0 remaining")
      #expect(
        try await summary { try await ledger.reserve(9, for: user, id: part) } == "conflict in mode"
      )
    }
  }

  @Test func `a best-effort reservation takes no more than the requested credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let outcome = try await ledger.reserve(4, for: user, mode: .bestEffort)
      #expect(outcome.reservation.granted == 4)
      #expect(summary(of: .success(outcome)) == "admitted, 6 remaining")
      try await ledger.setGuardrails(#"{"annual_mockup_budget": 2}"#, of: user)
      #expect(
        try await summary { try await ledger.reserve(4, for: user, mode: .bestEffort) }
          == "refused, -2 remaining")
    }
  }

  @Test func `a best-effort reservation can spend only the granted credits`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 3)
      let (first, late) = (UUID(), UUID())
      try await ledger.reserve(9, for: user, id: first, mode: .bestEffort)
      #expect(
        try await summary { try await ledger.commit(4, of: first, for: user) } == "more than 3")
      let all = try await ledger.commit(2, of: first, for: user)
      #expect(all.released == 1)
      try await ledger.reserve(9, for: user, id: late, seconds: 60, mode: .bestEffort)
      ledger.clock.advance(by: 60)
      try await ledger.setGuardrails(#"{"annual_mockup_budget": 20}"#, of: user)
      #expect(
        try await summary { try await ledger.commit(2, of: late, for: user) } == "more than 1")
      #expect(
        try await summary { try await ledger.commit(of: late, for: user) }
          == "late committed 1, 17 available")
    }
  }
}
