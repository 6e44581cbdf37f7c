/// The roles that may call each method.
///
/// Admins may call every method, so the table does not list them. A method that is not in the table
/// is for admins only.
///
/// - Workers do not call the methods that settle reservations. Claiming, completing and failing a
///   mockup settle its reservation, under the worker's lease and in one transaction with the
///   mockup.
/// - Readers read data and change nothing. They may not verify the ledger, which recomputes every
///   sum and is therefore reserved for audits.
/// - Monitors read figures about the server, and nothing about a user.
/// - Only admins set budgets and resolve the stuck reservations of other callers.
enum AccessTable {
  /// The access to all methods of a service.
  enum ServiceAccess {
    /// Every peer, with or without a role.
    case everybody
    /// Every peer that has a role.
    case anyRole
  }

  static let services: [String: ServiceAccess] = [
    "grpc.health.v1.Health": .everybody,
    "grpc.reflection.v1.ServerReflection": .anyRole,
    "grpc.reflection.v1alpha.ServerReflection": .anyRole,
  ]

  /// The HTTP paths that every peer may request, like health checks.
  static let openPaths: Set<String> = ["healthz", "readyz"]

  static let methods: [String: [String: Set<Role>]] = [
    "http": [
      "metrics": [.reader, .monitor]
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
      "GetUsageHistory": [.reader],
      "SetBudget": [],
      "ResolveReservation": [],
      "ListUnresolvedReservations": [.reader],
      "FindUsers": [.reader],
      "ExportLedger": [.reader],
      "ListAlerts": [.reader],
      "WatchAlerts": [.reader],
      "VerifyLedger": [],
      "GetServerInfo": [.reader, .monitor],
    ],
  ]

  /// Returns true if a peer with these roles, which may be none, may call a method.
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
