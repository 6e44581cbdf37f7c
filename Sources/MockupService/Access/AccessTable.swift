/// Who may call which method: one row for each. Admins may call them all, and are in no row; what has
/// no row is theirs alone.
///
/// - A worker does not settle reservations. Claiming, completing and failing a mockup do it, under the
///   worker's lease, in one transaction with the mockup.
/// - A reader sees what there is and changes nothing. Verifying the ledger is not theirs: it recomputes
///   every sum, which is an audit and no glance.
/// - Who budgets, or settles for others what is stuck, is an admin.
enum AccessTable {
  /// Services whose methods are all alike.
  enum ServiceAccess {
    /// Also of those who have no role.
    case everybody
    case anyRole
  }

  static let services: [String: ServiceAccess] = [
    "grpc.health.v1.Health": .everybody,
    "grpc.reflection.v1.ServerReflection": .anyRole,
  ]

  /// Paths of HTTP that are everybody's, as health is.
  static let openPaths: Set<String> = ["healthz", "readyz"]

  static let methods: [String: [String: Set<Role>]] = [
    "http": [
      "metrics": [.reader]
    ],
    "mockups.v1.CreditService": [
      "ReserveCredits": [.service],
      "BatchReserveCredits": [.service],
      "DispatchReservation": [.service],
      "CommitReservation": [.service],
      "ReleaseReservation": [.service],
      "ExtendReservation": [.service],
      "BatchSettleReservations": [.service],
      "RefundCredits": [.service],
      "GetReservation": [.service, .reader],
      "ListReservations": [.service, .reader],
      "GetCreditUsage": [.service, .reader],
      "ListCreditUsage": [.service, .reader],
      "ExportCreditUsage": [.service, .reader],
    ],
    "mockups.v1.MockupService": [
      "GenerateMockups": [.service],
      "RegenerateMockup": [.service],
      "ClaimMockups": [.worker],
      "HeartbeatMockup": [.worker],
      "CompleteMockup": [.worker],
      "FailMockup": [.worker],
      "ApproveMockup": [.service],
      "RejectMockup": [.service],
      "GetMockup": [.service, .worker, .scheduler, .reader],
      "ListMockups": [.service, .scheduler, .reader],
      "DeleteMockup": [.service],
      "WatchMockups": [.service, .scheduler, .reader],
      "RecordPerformance": [.scheduler],
      "StreamPerformance": [.scheduler],
    ],
    "mockups.v1.SceneService": [
      "ListSceneTemplates": [.service, .reader],
      "GetSceneTemplate": [.service, .worker, .reader],
      "ResolveScene": [.service, .worker, .reader],
      "CreateSceneTemplate": [.service],
      "UpdateSceneTemplate": [.service],
      "DeleteSceneTemplate": [.service],
    ],
    "mockups.v1.AdminService": [
      "GetUsageReport": [.reader],
      "SetBudget": [],
      "ResolveReservation": [],
      "VerifyLedger": [],
      "GetServerInfo": [.reader],
    ],
  ]

  /// Whether somebody with these roles, or with none, may call a method.
  static func allows(_ roles: Set<Role>, service: String, method: String) -> Bool {
    if roles.contains(.admin) { return true }
    switch services[service] {
    case .everybody: return true
    case .anyRole: return !roles.isEmpty
    case nil: break
    }
    if service == "http", openPaths.contains(method) { return true }
    guard let row = methods[service]?[method] else { return false }
    return !row.isDisjoint(with: roles)
  }
}
