import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct ReviewTests {
  private struct Change {
    var wanted: MockupStatus
    var perform: @Sendable (WorkerFixture, UUID, UUID) async throws -> MockupStatus?

    static let all = [
      Change(wanted: .approved) { fixture, id, user in
        try await fixture.store.approve(id, of: user).status
      },
      Change(wanted: .rejected) { fixture, id, user in
        try await fixture.store.reject(id, of: user, because: "ugly").status
      },
      Change(wanted: .pending) { fixture, id, user in
        try await fixture.regenerate(id, of: user).mockup?.status
      },
    ]
  }

  @Test(arguments: MockupStatus.allCases)
  func `a change is made if the status allows it and otherwise names both statuses`(
    status: MockupStatus
  ) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 100)
      for change in Change.all {
        // A generating mockup becomes pending when its lease expires, not by a call of its user.
        let isAllowed =
          change.wanted == .pending
          ? status != .generating && status.canBecome(.pending)
          : status == change.wanted || status.canBecome(change.wanted)
        let id = try await fixture.mockup(of: user, as: status)
        let before = try await fixture.store.mockup(id, of: user)
        let answer = try await answer {
          try await change.perform(fixture, id, user).map(\.rawValue) ?? "none"
        }
        #expect(
          answer
            == (isAllowed
              ? change.wanted.rawValue : "\(status) does not become \(change.wanted)"))
        let after = try await fixture.store.mockup(id, of: user)
        if !isAllowed { #expect(after == before) }
        // No mockup may stay pending for the next change.
        _ = try await fixture.store.delete(id, of: user)
      }
    }
  }

  @Test func `a mockup of another user is unknown`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let stranger = try await fixture.ledger.user()
      let id = try await fixture.mockup(of: user, as: .completed)
      for change in Change.all {
        #expect(
          try await answer { try await change.perform(fixture, id, stranger) } == "unknown mockup")
      }
      #expect(
        try await answer { try await fixture.store.mockup(id, of: stranger) } == "unknown mockup")
      #expect(try await fixture.store.delete(id, of: stranger).wasThere == false)
      #expect(try await fixture.store.mockup(id, of: user).status == .completed)
    }
  }

  @Test func `a repeated decision changes nothing`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.mockup(of: user, as: .rejected)
      let again = try await fixture.store.reject(id, of: user, because: "uglier")
      #expect(again.errorMessage == "ugly")
    }
  }

  @Test func `a regeneration is charged as regeneration and starts without a picture`() async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.mockup(of: user, as: .completed)
      let before = try await fixture.store.mockup(id, of: user)
      let request = UUID()
      let outcome = try await fixture.regenerate(id, of: user, requestID: request, credits: 2)
      #expect(outcome.admission.isAdmitted)
      #expect(outcome.admission.remaining == 7)
      let pending = try #require(outcome.mockup)
      #expect(pending.picture == Picture(fileURL: "", fileKey: ""))
      #expect(pending.creditsUsed == 0)
      #expect(pending.attempt == 1)
      #expect(pending.createdAt == before.createdAt)
      #expect(pending.reservationID != before.reservationID)
      #expect(try await fixture.reservation(of: id, user) == "held 2")

      let next = MockupAttempt(try #require(try await fixture.claim().first))
      #expect(next.number == 2)
      #expect(try await fixture.complete(next).mockup.creditsUsed == 2)
      #expect(
        try await fixture.ledger.entries(of: user).map(\.operation) == [.generation, .regeneration])

      // A retry is replayed, whatever the mockup's status is by then.
      var again = try await fixture.regenerate(id, of: user, requestID: request, credits: 2)
      #expect(again.isReplayed)
      #expect(again.admission == outcome.admission)
      #expect(again.mockup?.status == .completed)
      _ = try await fixture.store.delete(id, of: user)
      again = try await fixture.regenerate(id, of: user, requestID: request, credits: 2)
      #expect(again.isReplayed)
      #expect(again.mockup == nil)
    }
  }

  @Test func `a regeneration without credits changes nothing and stays refused`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 2)
      let id = try await fixture.mockup(of: user, as: .approved)
      let before = try await fixture.store.mockup(id, of: user)
      let request = UUID()
      let refused = try await fixture.regenerate(id, of: user, requestID: request, credits: 2)
      #expect(!refused.admission.isAdmitted)
      #expect(refused.admission.message == "Insufficient credits. 1 remaining.")
      #expect(try await fixture.store.mockup(id, of: user) == before)
      try await fixture.ledger.setGuardrails(#"{"annual_mockup_budget": 10}"#, of: user)
      let again = try await fixture.regenerate(id, of: user, requestID: request, credits: 2)
      #expect(again.isReplayed)
      #expect(!again.admission.isAdmitted)
      #expect(try await fixture.regenerate(id, of: user, credits: 2).admission.isAdmitted)
    }
  }

  @Test func `a regeneration id is bound to one request`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let (id, request) = (try await fixture.mockup(of: user, as: .failed), UUID())
      let other = try await fixture.mockup(of: user, as: .failed)
      try await fixture.regenerate(id, of: user, requestID: request)
      let table: [(String, () async throws -> RegenerationOutcome)] = [
        ("mockup_id", { try await fixture.regenerate(other, of: user, requestID: request) }),
        (
          "skip_approval",
          { try await fixture.regenerate(id, of: user, requestID: request, skipsApproval: true) }
        ),
        ("credits", { try await fixture.regenerate(id, of: user, requestID: request, credits: 2) }),
        (
          "time_to_live_seconds",
          { try await fixture.regenerate(id, of: user, requestID: request, seconds: 60) }
        ),
      ]
      for (field, body) in table { #expect(try await answer(body) == "conflict in \(field)") }
      #expect(try await fixture.ledger.store.usage(of: user).held == 1)
    }
  }

  @Test func `a mockup that failed by SQL while it was leased can be regenerated`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.claimed(of: user).mockupID
      try await fixture.ledger.run("UPDATE mockups SET status = 'failed' WHERE id = '\(id)'")
      #expect(try await fixture.regenerate(id, of: user).mockup?.status == .pending)
      #expect(try await fixture.claim().map(\.mockup.id) == [id])
    }
  }

  @Test func `a mockup inserted by SQL can be regenerated`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let id = try await fixture.ledger.mockup(of: user)
      try await fixture.ledger.run("UPDATE mockups SET status = 'failed' WHERE id = '\(id)'")
      #expect(try await fixture.regenerate(id, of: user).mockup?.status == .pending)
      #expect(try await fixture.claim().map(\.mockup.id) == [id])
    }
  }

  @Test(
    arguments: [
      (.pending, 1, 0), (.generating, 0, 1), (.completed, 0, 0), (.failed, 0, 0),
    ] as [(MockupStatus, Int32, Int64)])
  func `deleting a mockup releases held credits and keeps dispatched credits`(
    status: MockupStatus, released: Int32, held: Int64
  ) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.mockup(of: user, as: status)
      let (wasThere, credits) = try await fixture.store.delete(id, of: user)
      #expect(wasThere)
      #expect(credits == released)
      #expect(try await fixture.ledger.store.usage(of: user).held == held)
      #expect(try await answer { try await fixture.store.mockup(id, of: user) } == "unknown mockup")
      #expect(try await fixture.store.delete(id, of: user).wasThere == false)
      if status == .completed {
        #expect(try await fixture.ledger.entries(of: user).map(\.mockupID) == [nil])
      }
      let late = MockupAttempt(userID: user, mockupID: id, number: 1)
      #expect(try await answer { try await fixture.complete(late) } == "unknown mockup")
    }
  }
}
