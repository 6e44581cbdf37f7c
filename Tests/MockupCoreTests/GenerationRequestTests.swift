import FoundationEssentials
import MockupCore
import Testing

@Suite struct GenerationRequestTests {
  @Test func `a duplicate asset or scene counts once`() throws {
    let (first, second) = (UUID(), UUID())
    let request = try GenerationRequest(
      userID: UUID(), id: UUID(), assetIDs: [first, second, first],
      scenes: ["bedroom", "attic", "bedroom"])
    #expect(request.assetIDs == [first, second])
    #expect(request.scenes == ["bedroom", "attic"])
    #expect(request.pairCount == 4)
  }

  @Test func `two scenes with canonically equivalent names are different`() throws {
    let scenes = ["caf\u{E9}", "cafe\u{301}", "\u{212A}", "K", "caf\u{E9}"]
    let request = try GenerationRequest(
      userID: UUID(), id: UUID(), assetIDs: [UUID()], scenes: scenes)
    #expect(request.scenes.map { Array($0.utf8) } == scenes.dropLast().map { Array($0.utf8) })
  }
}
