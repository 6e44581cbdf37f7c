public import MockupAPI
public import MockupStore

/// Answers `mockups.v1.MockupService`. What becomes of mockups, their changes as they happen, and their
/// performance have files of their own.
public struct MockupsService: MockupServiceHandler {
  let performance: PerformanceWriter

  public init(performance: PerformanceStore) {
    self.performance = PerformanceWriter(store: performance)
  }
}
