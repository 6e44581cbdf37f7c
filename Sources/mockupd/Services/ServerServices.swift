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
  /// The store of credits, whose queue the metrics report.
  let credits: CreditStore
  /// The full names of the services that need the database.
  let names: [String]

  init(
    pool: Pool, batches: BatchLimits, limit: ResponseLimit, watchers: Watchers,
    process: ServerProcess, observer: any ChangeObserver
  ) throws {
    let store = CreditStore(pool: pool, limits: batches, observer: observer)
    self.credits = store
    let credits = CreditService(store: store, limit: limit)
    shedding = LoadShedding(credits)
    let business: [any TTRPC.Service] = [
      credits,
      MockupService(
        store: MockupStore(pool: pool, limits: batches, observer: observer),
        feed: MockupFeed(pool: pool), watchers: watchers,
        performance: PerformanceStore(pool: pool, limits: batches, observer: observer), limit: limit
      ),
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
