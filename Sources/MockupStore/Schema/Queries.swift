internal import Postgres

/// The statements of `SQL/Queries`, each under its file's name.
enum Queries {
  static let claimMockups = statement(
    "claim_mockups", PackageResources.claim_mockups_sql)
  static let completeMockup = statement(
    "complete_mockup", PackageResources.complete_mockup_sql)
  static let deleteMockup = statement(
    "delete_mockup", PackageResources.delete_mockup_sql)
  static let expireLeases = statement(
    "expire_leases", PackageResources.expire_leases_sql)
  static let exportCreditUsage = statement(
    "export_credit_usage", PackageResources.export_credit_usage_sql)
  static let failMockup = statement(
    "fail_mockup", PackageResources.fail_mockup_sql)
  static let generateMockups = statement(
    "generate_mockups", PackageResources.generate_mockups_sql)
  static let getCreditUsage = statement(
    "get_credit_usage", PackageResources.get_credit_usage_sql)
  static let getMockup = statement(
    "get_mockup", PackageResources.get_mockup_sql)
  static let getReservation = statement(
    "get_reservation", PackageResources.get_reservation_sql)
  static let heartbeatMockup = statement(
    "heartbeat_mockup", PackageResources.heartbeat_mockup_sql)
  static let listCreditUsage = statement(
    "list_credit_usage", PackageResources.list_credit_usage_sql)
  static let listMockups = statement(
    "list_mockups", PackageResources.list_mockups_sql)
  static let listReservations = statement(
    "list_reservations", PackageResources.list_reservations_sql)
  static let refundCredits = statement(
    "refund_credits", PackageResources.refund_credits_sql)
  static let regenerateMockup = statement(
    "regenerate_mockup", PackageResources.regenerate_mockup_sql)
  static let releaseGroup = statement(
    "release_group", PackageResources.release_group_sql)
  static let reserveCredits = statement(
    "reserve_credits", PackageResources.reserve_credits_sql)
  static let reviewMockup = statement(
    "review_mockup", PackageResources.review_mockup_sql)
  static let settleReservations = statement(
    "settle_reservations", PackageResources.settle_reservations_sql)
  static let userExists = statement(
    "user_exists", PackageResources.user_exists_sql)

  private static func statement(_ name: String, _ sql: [UInt8]) -> Statement {
    Statement(name: name, sql: String(decoding: sql, as: UTF8.self))
  }
}
