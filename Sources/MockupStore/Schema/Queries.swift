internal import Postgres

/// The statements of `SQL/Queries`, each under its file's name.
enum Queries {
  static let exportCreditUsage = statement(
    "export_credit_usage", PackageResources.export_credit_usage_sql)
  static let getCreditUsage = statement(
    "get_credit_usage", PackageResources.get_credit_usage_sql)
  static let getDatabaseFacts = statement(
    "get_database_facts", PackageResources.get_database_facts_sql)
  static let getReservation = statement(
    "get_reservation", PackageResources.get_reservation_sql)
  static let getUsageReport = statement(
    "get_usage_report", PackageResources.get_usage_report_sql)
  static let listCreditUsage = statement(
    "list_credit_usage", PackageResources.list_credit_usage_sql)
  static let listReservations = statement(
    "list_reservations", PackageResources.list_reservations_sql)
  static let refundCredits = statement(
    "refund_credits", PackageResources.refund_credits_sql)
  static let releaseGroup = statement(
    "release_group", PackageResources.release_group_sql)
  static let reserveCredits = statement(
    "reserve_credits", PackageResources.reserve_credits_sql)
  static let resolveReservation = statement(
    "resolve_reservation", PackageResources.resolve_reservation_sql)
  static let setBudget = statement(
    "set_budget", PackageResources.set_budget_sql)
  static let settleReservations = statement(
    "settle_reservations", PackageResources.settle_reservations_sql)
  static let sweepReservations = statement(
    "sweep_reservations", PackageResources.sweep_reservations_sql)
  static let userExists = statement(
    "user_exists", PackageResources.user_exists_sql)
  static let verifyUser = statement(
    "verify_user", PackageResources.verify_user_sql)
  static let verifyUsers = statement(
    "verify_users", PackageResources.verify_users_sql)

  private static func statement(_ name: String, _ sql: [UInt8]) -> Statement {
    Statement(name: name, sql: String(decoding: sql, as: UTF8.self))
  }
}
