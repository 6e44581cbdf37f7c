import Testing
import TTRPC

@testable import MockupServices

/// The methods that each role may call.
///
/// This table repeats ``AccessTable`` by role, without the methods that every peer may call.
@Suite struct AccessTests {
  private static let reads: Set<String> = [
    "http/metrics",
    "mockups.v1.CreditService/GetReservation",
    "mockups.v1.CreditService/ListReservations",
    "mockups.v1.CreditService/GetCreditUsage",
    "mockups.v1.CreditService/ListCreditUsage",
    "mockups.v1.CreditService/ExportCreditUsage",
    "mockups.v1.MockupService/GetMockup",
    "mockups.v1.MockupService/ListMockups",
    "mockups.v1.MockupService/WatchMockups",
    "mockups.v1.SceneService/ListSceneTemplates",
    "mockups.v1.SceneService/GetSceneTemplate",
    "mockups.v1.SceneService/ResolveScene",
    "mockups.v1.AdminService/GetUsageReport",
    "mockups.v1.AdminService/GetUsageHistory",
    "mockups.v1.AdminService/GetServerInfo",
    "mockups.v1.AdminService/FindUsers",
    "mockups.v1.AdminService/ExportLedger",
    "mockups.v1.AdminService/ListAlerts",
    "mockups.v1.AdminService/WatchAlerts",
    "mockups.v1.AdminService/ListUnresolvedReservations",
  ]

  private static let work: Set<String> = [
    "mockups.v1.MockupService/ClaimMockups",
    "mockups.v1.MockupService/HeartbeatMockup",
    "mockups.v1.MockupService/CompleteMockup",
    "mockups.v1.MockupService/FailMockup",
  ]

  private static let performance: Set<String> = [
    "mockups.v1.MockupService/RecordPerformance",
    "mockups.v1.MockupService/StreamPerformance",
  ]

  private static let administration: Set<String> = [
    "mockups.v1.AdminService/SetBudget",
    "mockups.v1.AdminService/ResolveReservation",
    "mockups.v1.AdminService/VerifyLedger",
  ]

  private static let spending: Set<String> = [
    "mockups.v1.CreditService/ReserveCredits",
    "mockups.v1.CreditService/BatchReserveCredits",
    "mockups.v1.CreditService/DispatchReservation",
    "mockups.v1.CreditService/CommitReservation",
    "mockups.v1.CreditService/ReleaseReservation",
    "mockups.v1.CreditService/ExtendReservation",
    "mockups.v1.CreditService/BatchSettleReservations",
    "mockups.v1.CreditService/RefundCredits",
    "mockups.v1.MockupService/GenerateMockups",
    "mockups.v1.MockupService/RegenerateMockup",
    "mockups.v1.MockupService/ApproveMockup",
    "mockups.v1.MockupService/RejectMockup",
    "mockups.v1.MockupService/DeleteMockup",
    "mockups.v1.SceneService/CreateSceneTemplate",
    "mockups.v1.SceneService/UpdateSceneTemplate",
    "mockups.v1.SceneService/DeleteSceneTemplate",
  ]

  private static let everything =
    reads.union(work).union(performance).union(administration).union(spending)

  private static let methods: [Role: Set<String>] = [
    .service: spending.union(reads).subtracting([
      "http/metrics",
      "mockups.v1.AdminService/GetUsageReport",
      "mockups.v1.AdminService/GetUsageHistory",
      "mockups.v1.AdminService/GetServerInfo",
      "mockups.v1.AdminService/FindUsers",
      "mockups.v1.AdminService/ExportLedger",
      "mockups.v1.AdminService/ListAlerts",
      "mockups.v1.AdminService/WatchAlerts",
      "mockups.v1.AdminService/ListUnresolvedReservations",
    ]),
    .worker: work.union([
      "mockups.v1.MockupService/GetMockup",
      "mockups.v1.SceneService/GetSceneTemplate",
      "mockups.v1.SceneService/ResolveScene",
    ]),
    .scheduler: performance.union([
      "mockups.v1.MockupService/GetMockup",
      "mockups.v1.MockupService/ListMockups",
      "mockups.v1.MockupService/WatchMockups",
    ]),
    .admin: everything,
    .reader: reads,
    .monitor: ["http/metrics", "mockups.v1.AdminService/GetServerInfo"],
  ]

  private static let health: Set<String> = [
    "grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch", "http/healthz", "http/readyz",
  ]

  private static let reflection: Set<String> = [
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
  ]

  private static func allows(_ roles: Set<Role>, _ method: String) -> Bool {
    let names = method.split(separator: "/").map(String.init)
    return AccessTable.allows(roles, service: names[0], method: names[1])
  }

  @Test(arguments: Role.allCases) func `a role has its methods and no others`(role: Role) throws {
    let own = try #require(Self.methods[role])
    for method in Self.everything {
      #expect(Self.allows([role], method) == own.contains(method), "\(method)")
    }
    for method in Self.health.union(Self.reflection) {
      #expect(Self.allows([role], method), "\(method)")
    }
  }

  @Test func `a peer without a role may call the health methods only`() {
    for method in Self.everything.union(Self.reflection) {
      #expect(!Self.allows([], method), "\(method)")
    }
    for method in Self.health { #expect(Self.allows([], method), "\(method)") }
  }

  @Test func `a peer with several roles has the methods of each`() {
    let both = Self.methods[.worker, default: []].union(Self.methods[.scheduler, default: []])
    for method in Self.everything {
      #expect(Self.allows([.worker, .scheduler], method) == both.contains(method), "\(method)")
    }
  }

  @Test func `a method without a row is for admins only`() {
    for method in ["mockups.v1.CreditService/Nope", "nope/ReserveCredits", "http/nope"] {
      #expect(Self.allows([.admin], method))
      #expect(!Self.allows(Set(Role.allCases).subtracting([.admin]), method), "\(method)")
    }
  }

  @Test func `each row of the access table is in the table of this test`() {
    let rows = AccessTable.methods.flatMap { service, methods in
      methods.keys.map { "\(service)/\($0)" }
    }
    #expect(Set(rows) == Self.everything)
  }
}
