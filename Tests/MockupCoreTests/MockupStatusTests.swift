import MockupCore
import Testing

@Suite struct MockupStatusTests {
  @Test func `only the listed status changes are allowed`() {
    let changes: [MockupStatus: Set<MockupStatus>] = [
      .pending: [.generating, .failed],
      .generating: [.pending, .completed, .failed],
      .completed: [.approved, .rejected, .pending],
      .failed: [.pending],
      .approved: [.pending],
      .rejected: [.pending],
    ]
    for status in MockupStatus.allCases {
      for next in MockupStatus.allCases {
        #expect(
          status.canBecome(next) == (changes[status]?.contains(next) ?? false),
          "\(status) to \(next)")
      }
    }
  }
}
