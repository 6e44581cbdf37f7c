internal import MockupAPI
internal import MockupServices
internal import MockupDatabase
internal import Postgres
internal import TTRPC
internal import TTRPCServices

/// The services of the server.
struct ServerServices: Sendable {
  let services: [any TTRPC.Service]
  /// The interceptor that refuses calls when the server is overloaded.
  let shedding: LoadShedding
  /// The health service, whose statuses follow the database's condition.
  let health: HealthService
  /// The number of changes that wait in each queue for a batch, by partition.
  let waitingChanges: @Sendable (WriteQueue) -> [Int]
  /// The full names of the services that need the database.
  let names: [String]

  init(
    pool: Pool, batches: BatchLimits, limit: ResponseLimit, watchers: Watchers,
    process: ServerProcess, observer: any ChangeObserver
  ) throws {
    let creditStore = CreditStore(pool: pool, limits: batches, observer: observer)
    let mockupStore = MockupStore(pool: pool, limits: batches, observer: observer)
    let performance = PerformanceStore(pool: pool, limits: batches, observer: observer)
    waitingChanges = { queue in
      switch queue {
      case .credits: creditStore.waitingChanges
      case .mockups: mockupStore.waitingReports
      case .performance: [performance.waitingBatches]
      }
    }
    let credits = CreditService(store: creditStore, limit: limit)
    let mockups = MockupService(
      store: mockupStore, feed: MockupFeed(pool: pool), watchers: watchers,
      performance: performance, limit: limit)
    shedding = LoadShedding(credits, mockups)
    let business: [any TTRPC.Service] = [
      credits,
      mockups,
      SceneService(store: SceneStore(pool: pool), limit: limit),
      AdminService(
        store: AdminStore(pool: pool), alerts: AlertFeed(pool: pool), watchers: watchers,
        limit: limit, hostName: HostName.current, status: { process.status }),
    ]
    names = business.map { type(of: $0).serviceName }
    health = HealthService(
      Dictionary(uniqueKeysWithValues: (names + [""]).map { ($0, .notServing) }))
    let reflection = try ReflectionService(
      services: business + [health], descriptorSets: [MockupDescriptors.fileDescriptorSet])
    services = business + [health] + reflection.versions
  }
}
