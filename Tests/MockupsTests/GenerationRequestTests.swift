import FoundationEssentials
import Mockups
import Testing

@Suite struct GenerationRequestTests {
  @Test func `an asset or a scene that stands twice counts once`() throws {
    let (first, second) = (UUID(), UUID())
    let request = try GenerationRequest(
      userID: UUID(), id: UUID(), assetIDs: [first, second, first],
      scenes: ["bedroom", "attic", "bedroom"])
    #expect(request.assetIDs == [first, second])
    #expect(request.scenes == ["bedroom", "attic"])
    #expect(request.pairCount == 4)
  }

  @Test func `two spellings of a scene are two scenes`() throws {
    let scenes = ["caf\u{E9}", "cafe\u{301}", "\u{212A}", "K", "caf\u{E9}"]
    let request = try GenerationRequest(
      userID: UUID(), id: UUID(), assetIDs: [UUID()], scenes: scenes)
    #expect(request.scenes.map { Array($0.utf8) } == scenes.dropLast().map { Array($0.utf8) })
  }
}
