import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct CompletionTests {
  private static let picture = Picture(
    fileURL: "https://files/1", fileKey: "1", thumbnailURL: "https://files/1s", renderID: "r1",
    metadata: #"{"a": [1, 2]}"#, qualityScore: 0.875)

  @Test func `a completion stores the picture and charges the credits`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user, credits: 3)
      fixture.ledger.clock.advance(by: 5)
      let outcome = try await fixture.complete(attempt, Self.picture)
      #expect(outcome.mockup.picture == Self.picture)
      #expect(outcome.mockup.status == .completed)
      #expect(outcome.mockup.creditsUsed == 3)
      #expect(try await fixture.store.mockup(attempt.mockupID, of: user) == outcome.mockup)
      #expect(outcome.usage.used == 3)
      #expect(outcome.usage.held == 0)
      let entry = try #require(try await fixture.ledger.entries(of: user).first)
      #expect(entry.credits == 3)
      #expect(entry.mockupID == attempt.mockupID)
      #expect(entry.reservationID == outcome.mockup.reservationID)
      #expect(entry.operation == .generation)
      #expect(try await fixture.reservation(of: attempt.mockupID, user) == "committed 3")
    }
  }

  @Test(
    arguments: [
      (nil, false, "completed 3, 7 available"), (3, false, "completed 3, 7 available"),
      (1, false, "completed 1, 9 available"), (0, false, "completed 0, 10 available"),
      (4, false, "exceeds held"), (4, true, "completed 4, 6 available"),
      (10, true, "completed 10, 0 available"), (11, true, "insufficient, 7 available"),
    ] as [(Int32?, Bool, String)])
  func `a completion charges the credits that the worker reports`(
    credits: Int32?, allowsOverrun: Bool, expected: String
  ) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user, credits: 3)
      let answer = try await answer {
        let outcome = try await fixture.complete(
          attempt, credits: credits, allowsOverrun: allowsOverrun)
        return "\(outcome.mockup.status) \(outcome.mockup.creditsUsed), "
          + "\(outcome.usage.available) available"
      }
      #expect(answer == expected)
      let mockup = try await fixture.store.mockup(attempt.mockupID, of: user)
      let isDone = expected.hasPrefix("completed")
      #expect(mockup.status == (isDone ? .completed : .generating))
      #expect(mockup.picture.fileURL == (isDone ? Picture.any.fileURL : ""))
      let charged = try await fixture.ledger.entries(of: user).map(\.credits)
      #expect(charged == (mockup.creditsUsed > 0 ? [mockup.creditsUsed] : []))
      #expect(try await fixture.ledger.store.usage(of: user).held == (isDone ? 0 : 3))
    }
  }

  @Test(arguments: [nil, 0, 2] as [Int32?])
  func `a retried completion has one effect and the same answer`(credits: Int32?) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user, credits: 3)
      let first = try await fixture.complete(attempt, Self.picture, credits: credits)
      try await fixture.ledger.spend(1, for: user)
      var again = try await fixture.complete(attempt, Self.picture, credits: credits)
      #expect(again.isReplayed)
      again.isReplayed = false
      #expect(again == first)
      // A retry after an approval is replayed too.
      _ = try await fixture.store.approve(attempt.mockupID, of: user)
      let last = try await fixture.complete(attempt, Self.picture, credits: credits)
      #expect(last.isReplayed)
      #expect(last.mockup.status == .approved)
    }
  }

  @Test func `a different completion of one attempt is rejected with the differing field`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user)
      try await fixture.complete(attempt, Self.picture)
      let changes: [(String, @Sendable (inout Picture) -> Void)] = [
        ("file_url", { $0.fileURL = "x" }), ("file_key", { $0.fileKey = "x" }),
        ("thumbnail_url", { $0.thumbnailURL = nil }), ("dm_render_id", { $0.renderID = "x" }),
        ("dm_metadata_json", { $0.metadata = nil }), ("quality_score", { $0.qualityScore = 0 }),
      ]
      for (field, change) in changes {
        var other = Self.picture
        change(&other)
        #expect(
          try await answer { try await fixture.complete(attempt, other) } == "conflict in \(field)")
      }
      let charged = try await answer {
        try await fixture.complete(attempt, Self.picture, credits: 1)
      }
      #expect(charged == "conflict in credits")
      let overrun = try await answer {
        try await fixture.complete(attempt, Self.picture, allowsOverrun: true)
      }
      #expect(overrun == "conflict in allow_overrun")
      let failed = try await answer {
        try await fixture.store.fail(attempt, because: "", mayRetry: false)
      }
      #expect(failed == "completed does not become failed")
      #expect(
        try await fixture.store.mockup(attempt.mockupID, of: user).picture == Self.picture)
    }
  }

  @Test(arguments: ["[]", "1", "{", #"{"a": "\u0000"}"#, "null"])
  func `metadata that cannot be stored is rejected`(metadata: String) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let attempt = try await fixture.claimed(of: user)
      var picture = Self.picture
      picture.metadata = metadata
      #expect(
        try await answer { try await fixture.complete(attempt, picture) } == "invalid metadata")
      #expect(try await fixture.store.mockup(attempt.mockupID, of: user).status == .generating)
    }
  }

  @Test func `a completed mockup that skips approval is approved`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let attempt = try await fixture.claimed(of: user, skipsApproval: true)
      #expect(try await fixture.complete(attempt).mockup.status == .approved)
      try await fixture.regenerate(attempt.mockupID, of: user, skipsApproval: false)
      let next = MockupAttempt(try #require(try await fixture.claim().first))
      #expect(try await fixture.complete(next).mockup.status == .completed)
    }
  }

  @Test func `a reservation that was settled directly cannot be charged`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      for isCommitted in [false, true] {
        let attempt = try await fixture.claimed(of: user)
        let mockup = try await fixture.store.mockup(attempt.mockupID, of: user)
        let reservation = try #require(mockup.reservationID)
        if isCommitted {
          try await fixture.ledger.commit(of: reservation, for: user, id: reservation)
        } else {
          try await fixture.ledger.release(reservation, for: user)
        }
        #expect(
          try await answer { try await fixture.complete(attempt) }
            == "reservation \(isCommitted ? "committed" : "released")")
        #expect(try await fixture.store.mockup(mockup.id, of: user).status == .generating)
      }
      #expect(try await fixture.ledger.store.usage(of: user).used == 1)
    }
  }

  @Test func `a failure releases the credits and records the error`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user, credits: 3)
      let outcome = try await fixture.store.fail(attempt, because: "no layer", mayRetry: false)
      #expect(outcome.mockup.status == .failed)
      #expect(outcome.mockup.errorMessage == "no layer")
      #expect(outcome.mockup.creditsUsed == 0)
      #expect(outcome.usage.available == 10)
      #expect(try await fixture.reservation(of: attempt.mockupID, user) == "released 0")
      let again = try await fixture.store.fail(attempt, because: "no layer", mayRetry: false)
      #expect(again.isReplayed)
      #expect(again.mockup == outcome.mockup)
      let otherwise = try await answer {
        try await fixture.store.fail(attempt, because: "other", mayRetry: false)
      }
      #expect(otherwise == "conflict in error_message")
      let retried = try await answer {
        try await fixture.store.fail(attempt, because: "no layer", mayRetry: true)
      }
      #expect(retried == "conflict in may_retry")
      #expect(
        try await answer { try await fixture.complete(attempt) }
          == "failed does not become completed"
      )
    }
  }

  @Test func `a retryable failure makes the mockup pending while attempts remain`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 3)
      for number: Int32 in 1...3 {
        let attempt = MockupAttempt(try #require(try await fixture.claim().first))
        #expect(attempt.number == number)
        let outcome = try await fixture.store.fail(attempt, because: "busy", mayRetry: true)
        #expect(outcome.mockup.status == (number < 3 ? .pending : .failed))
        #expect(outcome.mockup.errorMessage == (number < 3 ? nil : "busy"))
        #expect(outcome.usage.held == (number < 3 ? 3 : 0))
        let again = try await fixture.store.fail(attempt, because: "busy", mayRetry: true)
        #expect(again.isReplayed)
        #expect(again.mockup == outcome.mockup)
      }
      #expect(try await fixture.claim().isEmpty)
      #expect(try await fixture.reservation(of: id, user) == "released 0")
    }
  }

  @Test func `a failure that may have been charged leaves its credits unresolved`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user, credits: 3)
      func fail(mayBeCharged: Bool = true) async throws -> MockupOutcome {
        try await fixture.store.fail(
          attempt, because: "timeout", mayRetry: false, mayBeCharged: mayBeCharged)
      }
      let outcome = try await fail()
      #expect(outcome.mockup.status == .failed)
      #expect(outcome.mockup.errorMessage == "timeout")
      #expect(outcome.usage.held == 3)
      #expect(try await fixture.reservation(of: attempt.mockupID, user) == "unresolved 3")
      var again = try await fail()
      #expect(again.isReplayed)
      again.isReplayed = false
      #expect(again == outcome)
      #expect(
        try await answer { try await fail(mayBeCharged: false) } == "conflict in may_be_charged")
    }
  }

  @Test func `a retry after a possible charge keeps the reservation dispatched`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 3)
      for number in 1...3 {
        let attempt = MockupAttempt(try #require(try await fixture.claim().first))
        let outcome = try await fixture.store.fail(
          attempt, because: "stopped", mayRetry: true, mayBeCharged: true)
        #expect(outcome.mockup.status == (number < 3 ? .pending : .failed))
        #expect(
          try await fixture.reservation(of: id, user)
            == (number < 3 ? "dispatched 3" : "unresolved 3"))
      }
    }
  }

  @Test func `metadata that takes more than 256 KiB when stored is rejected`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let attempt = try await fixture.claimed(of: user)
      // 46 bytes, which PostgreSQL stores as almost four hundred thousand digits.
      let expanding = Picture(
        fileURL: "u", fileKey: "k", metadata: #"{"a": 1e131000, "b": 1e131000, "c": 1e131000}"#)
      let first = try await answer { try await fixture.complete(attempt, expanding) }
      #expect(first == "invalid metadata")
      let kept = Picture(fileURL: "u", fileKey: "k", metadata: #"{"a": 1e100000}"#)
      let outcome = try await fixture.complete(attempt, kept)
      #expect(outcome.mockup.picture.metadata?.utf8.count == 100_008)
    }
  }

  @Test func `a failure without a charge lets the credits expire`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 3, seconds: 600)
      let first = MockupAttempt(try #require(try await fixture.claim().first))
      try await fail(first, in: fixture)
      #expect(try await fixture.reservation(of: id, user) == "held 3")
      // The next claim dispatches the reservation again.
      let second = MockupAttempt(try #require(try await fixture.claim().first))
      #expect(try await fixture.reservation(of: id, user) == "dispatched 3")
      let outcome = try await fail(second, in: fixture)
      #expect(outcome.usage.held == 3)
      fixture.ledger.clock.advance(by: 600)
      #expect(try await fixture.ledger.store.usage(of: user).held == 0)
      #expect(try await fixture.reservation(of: id, user) == "expired 0")
      // A mockup without held credits cannot be claimed.
      #expect(try await fixture.claim().isEmpty)
      let mockup = try await fixture.store.mockup(id, of: user)
      #expect(mockup.status == .failed)
      #expect(
        mockup.errorMessage == "the reservation expired before the mockup was made")
    }
  }

  @Test(arguments: [false, true])
  func `a failure without a charge makes expired credits available`(isSwept: Bool) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 3, seconds: 60)
      let attempt = MockupAttempt(try #require(try await fixture.claim(lease: 60).first))
      fixture.ledger.clock.advance(by: 120)
      if isSwept {
        try await fixture.ledger.withSweepers(1) { sweepers in
          let batch = try await sweepers[0].sweepReservations(limit: 10)
          #expect(batch.expired == 1)
        }
      }
      #expect(try await fixture.reservation(of: id, user) == "unresolved 3")
      #expect(try await fail(attempt, in: fixture).usage.available == 10)
      #expect(try await fixture.reservation(of: id, user) == "expired 0")
      #expect(try await fixture.claim().isEmpty)
      #expect(try await fixture.store.mockup(id, of: user).status == .failed)
    }
  }

  /// The vendor may have charged for the first attempt, which did not report.
  @Test(arguments: [true, false])
  func `a failure after an expired lease keeps the credits`(mayRetry: Bool) async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 10)
      let id = try await fixture.pending(of: user, credits: 3, seconds: 600)
      _ = try await fixture.claim()
      fixture.ledger.clock.advance(by: 60)
      let second = MockupAttempt(try #require(try await fixture.claim().first))
      #expect(second.number == 2)
      #expect(try await fail(second, in: fixture, mayRetry: mayRetry).usage.held == 3)
      #expect(
        try await fixture.reservation(of: id, user) == (mayRetry ? "dispatched 3" : "unresolved 3"))
      fixture.ledger.clock.advance(by: 600)
      #expect(try await fixture.reservation(of: id, user) == "unresolved 3")
      #expect(try await fixture.ledger.store.usage(of: user).held == 3)

      // A regeneration has a new reservation, which the vendor has not charged.
      if mayRetry { #expect(try await fixture.claim().isEmpty) }
      try await fixture.regenerate(id, of: user)
      let third = MockupAttempt(try #require(try await fixture.claim().first))
      try await fail(third, in: fixture)
      #expect(try await fixture.reservation(of: id, user) == "held 1")
    }
  }

  @discardableResult
  private func fail(
    _ attempt: MockupAttempt, in fixture: WorkerFixture, mayRetry: Bool = true
  ) async throws -> MockupOutcome {
    try await fixture.store.fail(attempt, because: "busy", mayRetry: mayRetry)
  }
}
