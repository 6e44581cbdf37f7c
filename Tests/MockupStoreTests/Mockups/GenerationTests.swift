import FoundationEssentials
import MockupStore
import Mockups
import TestSupport
import Testing

@Suite struct GenerationTests {
  @Test func eachAssetIsMadeInEachSceneInTheOrderOfTheRequest() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 100)
      let assets = [try await studio.asset(of: user), try await studio.asset(of: user)]
      let quote = try await studio.quote(of: user)
      let outcome = try await studio.generate(
        assets + [assets[0]], ["home_office", "bedroom", "home_office"], for: user, quote: quote,
        credits: 3)
      #expect(outcome.results.map(\.assetID) == [assets[0], assets[0], assets[1], assets[1]])
      #expect(
        outcome.results.map(\.scene) == ["home_office", "bedroom", "home_office", "bedroom"])
      #expect(outcome.summaries == ["pending", "pending", "pending", "pending"])
      #expect(outcome.usage.held == 12)
      #expect(!outcome.isReplayed)

      let mockup = try await studio.store.mockup(outcome.mockups[1], of: user)
      #expect(mockup.assetID == assets[0])
      #expect(mockup.scene == "bedroom")
      #expect(mockup.sceneConfig.smartObject == "artwork_frame")
      #expect(mockup.quoteID == quote)
      #expect(mockup.status == .pending)
      #expect(mockup.picture == Picture(fileURL: "", fileKey: ""))
      #expect(mockup.creditsUsed == 0)
      #expect(mockup.attempt == 0)
      #expect(mockup.createdAt == studio.books.clock.now)
      #expect(try await studio.reservation(of: mockup.id, user) == "held 3")
      let reservation = try await studio.books.store.reservation(
        try #require(mockup.reservationID), of: user)
      #expect(reservation.mockupID == mockup.id)
      #expect(reservation.operation == .generation)
    }
  }

  @Test func whatCannotBeMadeSaysWhyAndTheRestIsMade() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 5)
      let other = try await studio.books.user()
      try await studio.scene("mine", of: user, template: "own_1")
      try await studio.scene("sleeping", of: user, template: "own_2", isActive: false)
      try await studio.scene("theirs", of: other, template: "own_3")
      let foreign = try await studio.asset(of: other)
      let assets = [try await studio.asset(of: user), foreign, UUID()]
      let outcome = try await studio.generate(
        assets, ["bedroom", "sleeping", "theirs", "mine", "living_room"], for: user, credits: 2)
      #expect(
        outcome.summaries == [
          "pending", "unknown_scene", "unknown_scene", "pending", "insufficient_credits",
          "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset",
          "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset", "unknown_asset",
        ])
      #expect(outcome.usage.available == 1)
      #expect(try await studio.books.lines("SELECT count(*) FROM mockups") == ["2"])
      #expect(try await studio.books.lines("SELECT count(*) FROM mockupd.reservations") == ["2"])
    }
  }

  @Test func aUsersSceneStandsBeforeTheSystems() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user()
      let other = try await studio.books.user()
      try await studio.scene(
        "bedroom", of: user, template: "own_1", config: #"{"smart_object": "mine", "x": [1]}"#)
      for (owner, object, template) in [(user, "mine", "own_1"), (other, "artwork_frame", "dm_")] {
        let id = try await studio.pending(of: owner)
        let config = try await studio.store.mockup(id, of: owner).sceneConfig
        #expect(config.smartObject == object)
        #expect(config.other["x"] == (owner == user ? "[1]" : nil))
        let claimed = try #require(try await studio.claim().first)
        #expect(claimed.templateID?.hasPrefix(template) == true)
      }
    }
  }

  @Test func aRequestSentAgainMakesNothingAndTellsWhatIsNow() async throws {
    try await Studio.with { studio in
      let user = try await studio.books.user(budget: 2)
      let (id, asset) = (UUID(), try await studio.asset(of: user))
      let scenes = ["bedroom", "living_room", "home_office"]
      let first = try await studio.generate([asset], scenes, for: user, id: id)
      #expect(first.summaries == ["pending", "pending", "insufficient_credits"])
      let attempt = MockupAttempt(try #require(try await studio.claim().first))
      try await studio.complete(attempt)
      let deleted = try #require(first.mockups.first { $0 != attempt.mockupID })
      _ = try await studio.store.delete(deleted, of: user)
      // Credits that came back change nothing about what was refused.
      let again = try await studio.generate([asset], scenes, for: user, id: id)
      #expect(again.isReplayed)
      #expect(again.mockups == first.mockups)
      #expect(again.summaries.sorted() == ["completed", "deleted", "insufficient_credits"])
      #expect(again.usage.used == 1)
      #expect(again.usage.held == 0)
    }
  }

  @Test func anIDThatWasUsedForAnotherRequestIsRefusedByTheFieldThatDiffers() async throws {
    try await Studio.with { studio in
      let (user, id) = (try await studio.books.user(), UUID())
      let (asset, other) = (try await studio.asset(of: user), try await studio.asset(of: user))
      let quote = try await studio.quote(of: user)
      _ = try await studio.generate([asset], ["bedroom"], for: user, id: id, quote: quote)
      let table: [(String, () async throws -> GenerationOutcome)] = [
        (
          "conflict in asset_ids",
          { try await studio.generate([other], ["bedroom"], for: user, id: id, quote: quote) }
        ),
        (
          "conflict in scenes",
          { try await studio.generate([asset], ["mine"], for: user, id: id, quote: quote) }
        ),
        (
          "conflict in skip_approval",
          {
            try await studio.generate(
              [asset], ["bedroom"], for: user, id: id, skipsApproval: true, quote: quote)
          }
        ),
        (
          "conflict in quote_id",
          { try await studio.generate([asset], ["bedroom"], for: user, id: id) }
        ),
        (
          "conflict in credits_per_mockup",
          {
            try await studio.generate(
              [asset], ["bedroom"], for: user, id: id, quote: quote, credits: 2)
          }
        ),
        (
          "conflict in time_to_live_seconds",
          {
            try await studio.generate(
              [asset], ["bedroom"], for: user, id: id, quote: quote, seconds: 60)
          }
        ),
      ]
      for (expected, body) in table { #expect(try await answer(body) == expected) }
      #expect(try await studio.books.lines("SELECT count(*) FROM mockups") == ["1"])
      // Another user's id is another id.
      let stranger = try await studio.books.user()
      let foreign = try await studio.generate(
        [try await studio.asset(of: stranger)], for: stranger, id: id)
      #expect(foreign.summaries == ["pending"])
      #expect(!foreign.isReplayed)
    }
  }

  @Test func anUnknownUserOrQuoteRefusesTheWholeRequest() async throws {
    try await Studio.with { studio in
      let (user, other) = (try await studio.books.user(), try await studio.books.user())
      let (asset, id) = (try await studio.asset(of: user), UUID())
      let foreign = try await studio.quote(of: other)
      for quote in [foreign, UUID()] {
        let refused = try await answer {
          try await studio.generate([asset], for: user, id: id, quote: quote)
        }
        #expect(refused == "unknown quote")
      }
      #expect(
        try await answer { try await studio.generate([asset], for: UUID()) } == "unknown user")
      #expect(try await studio.books.lines("SELECT count(*) FROM mockups") == ["0"])
      // The id is still free.
      #expect(try await studio.generate([asset], for: user, id: id).summaries == ["pending"])
    }
  }

  @Test func ofTwoRequestsUnderOneIDAtOnceOneMakesSomething() async throws {
    try await Studio.with { studio in
      let (user, id) = (try await studio.books.user(budget: 10), UUID())
      let asset = try await studio.asset(of: user)
      let outcomes = try await withThrowingTaskGroup(of: GenerationOutcome.self) { group in
        for _ in 0..<4 {
          group.addTask { try await studio.generate([asset], for: user, id: id, credits: 3) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.filter { !$0.isReplayed }.count == 1)
      #expect(Set(outcomes.map(\.mockups)).count == 1)
      #expect(try await studio.books.store.usage(of: user).held == 3)
    }
  }
}
