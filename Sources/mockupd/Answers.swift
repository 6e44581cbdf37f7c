internal import MockupAPI
internal import MockupService
internal import MockupStore
internal import Postgres
internal import TTRPC
internal import TTRPCServices

/// Every service that the server answers.
struct Answers: Sendable {
  let services: [any TTRPC.Service]
  /// Turns calls away when there is too much to do.
  let shedding: LoadShedding
  /// Says whether they are there.
  let health: HealthService
  /// The services that stand on the database, by their full names.
  let names: [String]

  init(
    pool: Pool, batches: BatchLimits, limit: ResponseLimit, watchers: MockupWatchers,
    process: ServerProcess
  ) throws {
    let credits = CreditService(store: CreditStore(pool: pool, limits: batches), limit: limit)
    shedding = LoadShedding(credits)
    let business: [any TTRPC.Service] = [
      credits,
      MockupsService(
        store: MockupsStore(pool: pool), feed: MockupFeed(pool: pool), watchers: watchers,
        performance: PerformanceStore(pool: pool, limits: batches), limit: limit),
      SceneService(store: SceneStore(pool: pool), limit: limit),
      AdminService(store: AdminStore(pool: pool), limit: limit, status: { process.status }),
    ]
    names = business.map { type(of: $0).serviceName }
    health = HealthService(
      Dictionary(uniqueKeysWithValues: (names + [""]).map { ($0, .notServing) }))
    let reflection = try ReflectionService(
      services: business + [health], descriptorSets: [MockupDescriptors.fileDescriptorSet])
    services = business + [health, reflection]
  }
}
