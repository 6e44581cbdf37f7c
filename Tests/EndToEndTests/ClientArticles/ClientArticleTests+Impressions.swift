import FoundationEssentials
import MockupClient
import TestSupport
import Testing

extension ClientArticleTests {
  @Test func `report pins and impressions`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, database, _ in
      let counts = try await database.makeMockups(2, of: user).map { mockup in
        (mockup: mockup, pins: 1, impressions: 20)
      }
      let (_, summary) = try await client.performance.withRecorder { recorder in
        for count in counts {
          try await recorder.add(
            count.mockup, of: user, pins: count.pins, impressions: count.impressions)
        }
      }
      let refusals = summary.refusals.map { "\($0.entry.mockupID): \($0.reason)" }
      #expect(summary.counted == 2)
      #expect(refusals.isEmpty)

      let batchID = UUID()
      let entries = counts.map { count in
        PerformanceEntry(
          userID: user.wireText, mockupID: count.mockup.wireText,
          pins: Int32(count.pins), impressions: Int32(count.impressions))
      }
      let recorded = try await client.performance.record(entries, batch: batchID)
      #expect(!recorded.replayed)
      let again = try await client.performance.record(entries, batch: batchID)
      #expect(again.replayed)
      let mockup = try await client.mockups.mockup(counts[0].mockup, of: user)
      #expect(mockup.totalPins == 2)
      #expect(mockup.totalImpressions == 40)
    }
  }
}
