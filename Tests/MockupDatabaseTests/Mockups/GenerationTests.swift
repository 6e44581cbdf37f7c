import FoundationEssentials
import MockupDatabase
import MockupCore
import TestSupport
import Testing

@Suite struct GenerationTests {
  @Test func `every asset is paired with every scene in request order`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 100)
      let assets = [try await fixture.asset(of: user), try await fixture.asset(of: user)]
      let quote = try await fixture.quote(of: user)
      let outcome = try await fixture.generate(
        assets + [assets[0]], ["home_office", "bedroom", "home_office"], for: user, quote: quote,
        credits: 3)
      #expect(outcome.results.map(\.assetID) == [assets[0], assets[0], assets[1], assets[1]])
      #expect(
        outcome.results.map(\.scene) == ["home_office", "bedroom", "home_office", "bedroom"])
      #expect(outcome.summaries == ["pending", "pending", "pending", "pending"])
      #expect(outcome.usage.held == 12)
      #expect(!outcome.isReplayed)

      let mockup = try await fixture.store.mockup(outcome.mockups[1], of: user)
      #expect(mockup.assetID == assets[0])
      #expect(mockup.scene == "bedroom")
      #expect(mockup.sceneConfig.smartObject == "artwork_frame")
      #expect(mockup.quoteID == quote)
      #expect(mockup.status == .pending)
      #expect(mockup.picture == Picture(fileURL: "", fileKey: ""))
      #expect(mockup.creditsUsed == 0)
      #expect(mockup.attempt == 0)
      #expect(mockup.createdAt == fixture.ledger.clock.now)
      #expect(try await fixture.reservation(of: mockup.id, user) == "held 3")
      let reservation = try await fixture.ledger.store.reservation(
        try #require(mockup.reservationID), of: user)
      #expect(reservation.mockupID == mockup.id)
      #expect(reservation.operation == .generation)
    }
  }

  @Test func `a pair that cannot be made fails with a reason and the other pairs succeed`()
    async throws
  {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 5)
      let other = try await fixture.ledger.user()
      try await fixture.scene("mine", of: user, template: "own_1")
      try await fixture.scene("sleeping", of: user, template: "own_2", isActive: false)
      try await fixture.scene("theirs", of: other, template: "own_3")
      let foreign = try await fixture.asset(of: other)
      let assets = [try await fixture.asset(of: user), foreign, UUID()]
      let outcome = try await fixture.generate(
        assets, ["bedroom", "sleeping", "theirs", "mine", "living_room"], for: user, credits: 2)
      #expect(
        outcome.summaries == [
          "pending", "unknown_scene", "unknown_scene", "pending", "insufficient_credits",
          "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset",
          "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset",
        ])
      #expect(outcome.usage.available == 1)
      #expect(try await fixture.ledger.lines("SELECT count(*) FROM mockups") == ["2"])
      #expect(try await fixture.ledger.lines("SELECT count(*) FROM mockupd.reservations") == ["2"])
    }
  }

  @Test func `a user template takes precedence over the system template`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user()
      let other = try await fixture.ledger.user()
      try await fixture.scene(
        "bedroom", of: user, template: "own_1", config: #"{"smart_object": "mine", "x": [1]}"#)
      for (owner, object, template) in [(user, "mine", "own_1"), (other, "artwork_frame", "dm_")] {
        let id = try await fixture.pending(of: owner)
        let config = try await fixture.store.mockup(id, of: owner).sceneConfig
        #expect(config.smartObject == object)
        #expect(config.other["x"] == (owner == user ? "[1]" : nil))
        let claimed = try #require(try await fixture.claim().first)
        #expect(claimed.templateID?.hasPrefix(template) == true)
      }
    }
  }

  @Test func `a retried request makes nothing and returns the current state`() async throws {
    try await WorkerFixture.with { fixture in
      let user = try await fixture.ledger.user(budget: 2)
      let (id, asset) = (UUID(), try await fixture.asset(of: user))
      let scenes = ["bedroom", "living_room", "home_office"]
      let first = try await fixture.generate([asset], scenes, for: user, id: id)
      #expect(first.summaries == ["pending", "pending", "insufficient_credits"])
      let attempt = MockupAttempt(try #require(try await fixture.claim().first))
      try await fixture.complete(attempt)
      let deleted = try #require(first.mockups.first { $0 != attempt.mockupID })
      _ = try await fixture.store.delete(deleted, of: user)
      // Credits that are available again do not change the refused pair.
      let again = try await fixture.generate([asset], scenes, for: user, id: id)
      #expect(again.isReplayed)
      #expect(again.mockups == first.mockups)
      #expect(again.summaries.sorted() == ["completed", "deleted", "insufficient_credits"])
      #expect(again.usage.used == 1)
      #expect(again.usage.held == 0)
    }
  }

  @Test func `an id reused for another request is rejected with the differing field`() async throws
  {
    try await WorkerFixture.with { fixture in
      let (user, id) = (try await fixture.ledger.user(), UUID())
      let (asset, other) = (try await fixture.asset(of: user), try await fixture.asset(of: user))
      let quote = try await fixture.quote(of: user)
      _ = try await fixture.generate([asset], ["bedroom"], for: user, id: id, quote: quote)
      let table: [(String, () async throws -> GenerationOutcome)] = [
        (
          "conflict in asset_ids",
          { try await fixture.generate([other], ["bedroom"], for: user, id: id, quote: quote) }
        ),
        (
          "conflict in scenes",
          { try await fixture.generate([asset], ["mine"], for: user, id: id, quote: quote) }
        ),
        (
          "conflict in skip_approval",
          {
            try await fixture.generate(
              [asset], ["bedroom"], for: user, id: id, skipsApproval: true, quote: quote)
          }
        ),
        (
          "conflict in quote_id",
          { try await fixture.generate([asset], ["bedroom"], for: user, id: id) }
        ),
        (
          "conflict in credits_per_mockup",
          {
            try await fixture.generate(
              [asset], ["bedroom"], for: user, id: id, quote: quote, credits: 2)
          }
        ),
        (
          "conflict in time_to_live_seconds",
          {
            try await fixture.generate(
              [asset], ["bedroom"], for: user, id: id, quote: quote, seconds: 60)
          }
        ),
      ]
      for (expected, body) in table { #expect(try await answer(body) == expected) }
      #expect(try await fixture.ledger.lines("SELECT count(*) FROM mockups") == ["1"])
      // Request ids are separate for each user.
      let stranger = try await fixture.ledger.user()
      let foreign = try await fixture.generate(
        [try await fixture.asset(of: stranger)], for: stranger, id: id)
      #expect(foreign.summaries == ["pending"])
      #expect(!foreign.isReplayed)
    }
  }

  @Test func `an unknown user or quote fails the whole request`() async throws {
    try await WorkerFixture.with { fixture in
      let (user, other) = (try await fixture.ledger.user(), try await fixture.ledger.user())
      let (asset, id) = (try await fixture.asset(of: user), UUID())
      let foreign = try await fixture.quote(of: other)
      for quote in [foreign, UUID()] {
        let refused = try await answer {
          try await fixture.generate([asset], for: user, id: id, quote: quote)
        }
        #expect(refused == "unknown quote")
      }
      #expect(
        try await answer { try await fixture.generate([asset], for: UUID()) } == "unknown user")
      #expect(try await fixture.ledger.lines("SELECT count(*) FROM mockups") == ["0"])
      // The id can still be used.
      #expect(try await fixture.generate([asset], for: user, id: id).summaries == ["pending"])
    }
  }

  @Test func `one of four concurrent requests with the same id makes mockups`() async throws {
    try await WorkerFixture.with { fixture in
      let (user, id) = (try await fixture.ledger.user(budget: 10), UUID())
      let asset = try await fixture.asset(of: user)
      let outcomes = try await withThrowingTaskGroup(of: GenerationOutcome.self) { group in
        for _ in 0..<4 {
          group.addTask { try await fixture.generate([asset], for: user, id: id, credits: 3) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.filter { !$0.isReplayed }.count == 1)
      #expect(Set(outcomes.map(\.mockups)).count == 1)
      #expect(try await fixture.ledger.store.usage(of: user).held == 3)
    }
  }
}
