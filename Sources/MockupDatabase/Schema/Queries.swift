internal import Postgres

/// The statements in `SQL/Queries`, named after their files, and those that differ from one of them
/// only in the function that they call.
enum Queries {
  static let checkDatabase = reading(
    "check_database", PackageResources.check_database_sql)
  static let claimMockups = statement(
    "claim_mockups", PackageResources.claim_mockups_sql)
  static let completeMockups = statement(
    "complete_mockups", PackageResources.complete_mockups_sql)
  static let countPerformance = statement(
    "count_performance", PackageResources.count_performance_sql)
  static let createSceneTemplate = statement(
    "create_scene_template", PackageResources.create_scene_template_sql)
  static let deleteMockup = statement(
    "delete_mockup", PackageResources.delete_mockup_sql)
  static let deleteSceneTemplate = statement(
    "delete_scene_template", PackageResources.delete_scene_template_sql)
  static let expireLeases = statement(
    "expire_leases", PackageResources.expire_leases_sql)
  static let exportCreditUsage = reading(
    "export_credit_usage", PackageResources.export_credit_usage_sql)
  static let exportLedger = reading(
    "export_ledger", PackageResources.export_ledger_sql)
  static let failMockups = statement(
    "fail_mockups", PackageResources.fail_mockups_sql)
  static let findLockedAttempts = statement(
    "find_locked_attempts", PackageResources.find_locked_attempts_sql)
  static let findLockedUsers = statement(
    "find_locked_users", PackageResources.find_locked_users_sql)
  static let findUsers = reading(
    "find_users", PackageResources.find_users_sql)
  static let generateMockups = statement(
    "generate_mockups", PackageResources.generate_mockups_sql)
  static let getAlertFeed = reading(
    "get_alert_feed", PackageResources.get_alert_feed_sql)
  static let getCreditTotals = reading(
    "get_credit_totals", PackageResources.get_credit_totals_sql)
  static let getCreditUsage = reading(
    "get_credit_usage", PackageResources.get_credit_usage_sql)
  static let getDatabaseFacts = reading(
    "get_database_facts", PackageResources.get_database_facts_sql)
  static let getMockup = reading(
    "get_mockup", PackageResources.get_mockup_sql)
  static let getMockupFeed = reading(
    "get_mockup_feed", PackageResources.get_mockup_feed_sql)
  static let getReservation = reading(
    "get_reservation", PackageResources.get_reservation_sql)
  static let getSceneTemplate = reading(
    "get_scene_template", PackageResources.get_scene_template_sql)
  static let getUsageHistoryByDay = reading(
    "get_usage_history_by_day", PackageResources.get_usage_history_by_day_sql)
  static let getUsageHistoryByMonth = reading(
    "get_usage_history_by_month", PackageResources.get_usage_history_by_month_sql)
  static let getUsageReport = reading(
    "get_usage_report", PackageResources.get_usage_report_sql)
  static let heartbeatMockup = statement(
    "heartbeat_mockup", PackageResources.heartbeat_mockup_sql)
  static let listAlerts = reading(
    "list_alerts", PackageResources.list_alerts_sql)
  static let listCreditUsage = reading(
    "list_credit_usage", PackageResources.list_credit_usage_sql)
  static let listMockupChanges = reading(
    "list_mockup_changes", PackageResources.list_mockup_changes_sql)
  static let listMockups = reading(
    "list_mockups", PackageResources.list_mockups_sql)
  static let listPartitions = reading(
    "list_partitions", PackageResources.list_partitions_sql)
  static let listReservations = reading(
    "list_reservations", PackageResources.list_reservations_sql)
  static let listSceneTemplates = reading(
    "list_scene_templates", PackageResources.list_scene_templates_sql)
  static let listUnresolvedReservations = reading(
    "list_unresolved_reservations", PackageResources.list_unresolved_reservations_sql)
  static let refundCredits = statement(
    "refund_credits", PackageResources.refund_credits_sql)
  static let regenerateMockup = statement(
    "regenerate_mockup", PackageResources.regenerate_mockup_sql)
  static let releaseGroup = statement(
    "release_group", PackageResources.release_group_sql)
  static let reserveAllCredits = reserveCredits.calling("reserve_all")
  static let reserveCredits = statement(
    "reserve_credits", PackageResources.reserve_credits_sql)
  static let resolveReservation = statement(
    "resolve_reservation", PackageResources.resolve_reservation_sql)
  static let resolveScene = reading(
    "resolve_scene", PackageResources.resolve_scene_sql)
  static let reviewMockup = statement(
    "review_mockup", PackageResources.review_mockup_sql)
  static let setBudget = statement(
    "set_budget", PackageResources.set_budget_sql)
  static let settleAllReservations = settleReservations.calling("settle_all")
  static let settleReservations = statement(
    "settle_reservations", PackageResources.settle_reservations_sql)
  static let sweepReservations = statement(
    "sweep_reservations", PackageResources.sweep_reservations_sql)
  static let testWrite = statement(
    "test_write", PackageResources.test_write_sql)
  static let tryResolveReservation = resolveReservation.calling("try_resolve_reservation")
  static let trySetBudget = setBudget.calling("try_set_budget")
  static let updateSceneTemplate = statement(
    "update_scene_template", PackageResources.update_scene_template_sql)
  static let userExists = reading(
    "user_exists", PackageResources.user_exists_sql)
  static let verifyUser = reading(
    "verify_user", PackageResources.verify_user_sql)
  static let verifyUsers = reading(
    "verify_users", PackageResources.verify_users_sql)
  static let watchAlerts = reading(
    "watch_alerts", PackageResources.watch_alerts_sql)

  private static func statement(_ name: String, _ sql: [UInt8]) -> Statement {
    Statement(name: name, sql: String(decoding: sql, as: UTF8.self))
  }

  /// Returns a statement that only reads, and that may therefore be cancelled after it was sent.
  private static func reading(_ name: String, _ sql: [UInt8]) -> Statement {
    Statement(name: name, sql: String(decoding: sql, as: UTF8.self), isReadOnly: true)
  }
}

extension Statement {
  /// Returns a statement that calls another function of the schema `mockupd`.
  ///
  /// The function has the same parameters and columns. The statement is named after it.
  fileprivate func calling(_ function: String) -> Statement {
    Statement(
      name: function,
      sql: sql.replacing(/FROM mockupd\.\w+\(/, with: "FROM mockupd.\(function)("),
      isReadOnly: isReadOnly)
  }
}
