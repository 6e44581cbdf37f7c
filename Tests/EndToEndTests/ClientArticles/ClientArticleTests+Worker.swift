import FoundationEssentials
import MockupClient
import TestSupport
import Testing

extension ClientArticleTests {
  func runWorker(
    _ client: MockupClient, _ vendor: Vendor,
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void
  ) async throws {
    try await client.mockups.withClaimedMockups(
      worker: "renderer-1", concurrency: 4, lease: .seconds(60), onUnrecorded: onUnrecorded
    ) { claimed in
      do {
        let picture = try await vendor.picture(
          template: claimed.dmTemplateID, asset: claimed.mockup?.assetID ?? "")
        return MockupCompletion(
          fileURL: picture.url, fileKey: picture.key, credits: picture.credits)
      } catch is Vendor.Busy {
        throw MockupFailure("the vendor is busy", mayRetry: true)
      } catch let refusal as Vendor.Refusal {
        throw MockupFailure("the vendor refused: \(refusal.reason)", mayRetry: false)
      }
    }
  }

  /// Runs a closure with the ids of some assets of the user.
  func withAssets(
    _ count: Int, _ body: (MockupClient, UUID, [UUID]) async throws -> Void
  ) async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let assets = (0..<count).map { _ in UUID() }
      for asset in assets {
        try await database.owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      }
      try await body(client, user, assets)
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `request mockups, and work on them`() async throws {
    try await withAssets(1) { client, user, assets in
      let requestID = UUID()
      let response = try await client.mockups.generate(
        for: user, assets: assets, scenes: ["bedroom", "cellar"], id: requestID)
      let requested = response.results.compactMap { UUID(wireText: $0.mockupID) }
      let failures = response.results.filter { !$0.success }.map(\.error)
      #expect(requested.count == 1)
      #expect(failures.count == 1)

      let vendor = Vendor(failingOnceWith: Vendor.Busy())
      let onUnrecorded: @Sendable (UnrecordedCompletion) async -> Void = {
        Issue.record("\($0)")
      }
      let working = Task {
        try await runWorker(client, vendor, onUnrecorded: onUnrecorded)
      }
      let finished = try await finishedMockups(requested, of: user, client)
      working.cancel()
      try await working.value
      #expect(finished.map(\.status) == [.completed])
      #expect(finished.map(\.attempt) == [2])
      #expect(finished.map(\.fileURL) == ["https://files.example/dm_bedroom_001.png"])

      let mockup = try #require(requested.first)
      let approved = try await client.mockups.approve(mockup, of: user)
      #expect(approved.status == .approved)
      let again = try await client.mockups.regenerate(mockup, of: user)
      #expect(again.success)
    }
  }

  @Test func `claim mockups without the loop`() async throws {
    try await withAssets(2) { client, user, assets in
      let vendor = Vendor()
      let made = try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"])
      #expect(made.results.count == 2)
      let claimed = try await client.mockups.claim(
        worker: "renderer-2", count: 10, wait: .seconds(20))
      for mockup in claimed {
        _ = try await client.mockups.heartbeat(mockup, lease: .seconds(120))
        let picture = try await vendor.picture(
          template: mockup.dmTemplateID, asset: mockup.mockup?.assetID ?? "")
        _ = try await client.mockups.complete(
          mockup, MockupCompletion(fileURL: picture.url, fileKey: picture.key))
      }
      #expect(claimed.count == 2)
      #expect(try await client.credits.usage(of: user).totalUsed == 2)
    }
  }
}
