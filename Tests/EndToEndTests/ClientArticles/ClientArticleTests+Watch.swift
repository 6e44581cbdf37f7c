import FoundationEssentials
import MockupClient
import TestSupport
import Testing

extension ClientArticleTests {
  func finishedMockups(
    _ ids: [UUID], of user: UUID, _ client: MockupClient
  ) async throws -> [Mockup] {
    var waiting = Set(ids.map(\.wireText))
    var finished: [Mockup] = []
    guard !waiting.isEmpty else { return [] }
    for try await event in client.mockups.watch(of: user, startsWithCurrent: true) {
      guard case .changed(let mockup) = event.change,
        mockup.status != .pending, mockup.status != .generating,
        waiting.remove(mockup.mockupID) != nil
      else { continue }
      finished.append(mockup)
      if waiting.isEmpty { break }
    }
    return finished
  }

  struct Gallery: Sendable {
    var mockups: [String: Mockup] = [:]
    var resumeToken: String?

    mutating func apply(_ event: MockupEvent) {
      switch event.change {
      case .began: break
      case .changed(let mockup): mockups[mockup.mockupID] = mockup
      case .deleted(let id): mockups[id.wireText] = nil
      }
      resumeToken = event.resumeToken
    }
  }

  func follow(
    _ user: UUID, from saved: Gallery, _ client: MockupClient,
    save: (Gallery) async throws -> Void
  ) async throws {
    var gallery = saved
    let changes = client.mockups.watch(
      of: user, from: gallery.resumeToken, startsWithCurrent: gallery.resumeToken == nil)
    for try await event in changes {
      gallery.apply(event)
      try await save(gallery)
    }
  }

  /// Follows a user's mockups until a condition holds.
  private func gallery(
    of user: UUID, from saved: Gallery, _ client: MockupClient,
    until isDone: (Gallery) -> Bool
  ) async throws -> Gallery {
    struct Done: Error { let gallery: Gallery }
    do {
      try await follow(user, from: saved, client) { gallery in
        if isDone(gallery) { throw Done(gallery: gallery) }
      }
    } catch let done as Done {
      return done.gallery
    }
    Issue.record("the watch ended")
    return saved
  }

  @Test(.timeLimit(.minutes(15)))
  func `follow a user's mockups, and resume`() async throws {
    try await withAssets(2) { client, user, assets in
      let made = try await client.mockups.generate(for: user, assets: assets, scenes: ["bedroom"])
      let ids = made.results.map(\.mockupID)
      let first = try await gallery(of: user, from: Gallery(), client) { $0.mockups.count == 2 }
      #expect(Set(first.mockups.keys) == Set(ids))

      let gone = try #require(UUID(wireText: ids[0]))
      _ = try await client.mockups.delete(gone, of: user)
      let second = try await gallery(of: user, from: first, client) { $0.mockups.count == 1 }
      #expect(Array(second.mockups.keys) == [ids[1]])
    }
  }
}
