import MockupAPI
import MockupDatabase
import Postgres
import TTRPC
import Testing

@testable import MockupServices

/// The methods whose calls are refused while the queue of their changes is full.
@Suite struct LoadSheddingTests {
  private static let credits = Set(
    [
      "ReserveCredits", "DispatchReservation", "ExtendReservation", "CommitReservation",
      "ReleaseReservation", "RefundCredits",
    ].map { "mockups.v1.CreditService/\($0)" })
  private static let mockups: Set = [
    "mockups.v1.MockupService/CompleteMockup", "mockups.v1.MockupService/FailMockup",
  ]
  private static let performance: Set = ["mockups.v1.MockupService/RecordPerformance"]

  /// Returns the methods that are refused if some queues are full.
  private static func refused(
    creditsFull: Bool = false, mockupsFull: Bool = false, performanceFull: Bool = false
  ) throws -> Set<String> {
    let pool = try Pool(
      configuration: PostgresConfiguration(url: "postgresql:///", applicationName: "none"))
    func limits(_ isFull: Bool) -> BatchLimits {
      var limits = BatchLimits()
      if isFull { limits.waiting = 0 }
      return limits
    }
    let credits = CreditService(store: CreditStore(pool: pool, limits: limits(creditsFull)))
    let mockups = MockupService(
      store: MockupStore(pool: pool, limits: limits(mockupsFull)), feed: MockupFeed(pool: pool),
      watchers: Watchers(),
      performance: PerformanceStore(pool: pool, limits: limits(performanceFull)))
    let shedding = LoadShedding(credits, mockups)
    let services: [any Service] = [
      credits, mockups, SceneService(store: SceneStore(pool: pool)),
    ]
    var refused: Set<String> = []
    for service in services {
      for method in service.methods {
        let descriptor = MethodDescriptor(
          service: type(of: service).serviceName, name: method.name, shape: method.shape)
        if let hook = shedding.hook(for: descriptor, isKnown: true) as? LoadShedding.Hook,
          hook.isFull()
        {
          refused.insert(descriptor.fullName)
        }
      }
    }
    return refused
  }

  @Test func `a call that would add to a full queue is refused`() throws {
    #expect(try Self.refused(creditsFull: true) == Self.credits)
    #expect(try Self.refused(mockupsFull: true) == Self.mockups)
    #expect(try Self.refused(performanceFull: true) == Self.performance)
    #expect(try Self.refused() == [])
  }
}
