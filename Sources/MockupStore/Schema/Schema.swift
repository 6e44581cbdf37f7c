public import Postgres

/// The database's schema, as migrations that are part of the program.
public enum Schema {
  /// Where the record of applied migrations lives, and everything else that is internal.
  public static let name = "mockupd"

  /// Every migration, in order.
  public static let migrations: [Migration] = [
    migration(0, "foundation", PackageResources._00_foundation_sql),
    migration(7, "mockups", PackageResources._07_mockups_sql),
    migration(8, "reservations", PackageResources._08_reservations_sql),
    migration(9, "credit_engine", PackageResources._09_credit_engine_sql),
    migration(10, "verifier", PackageResources._10_verifier_sql),
    migration(11, "public_functions", PackageResources._11_public_functions_sql),
    migration(12, "mockup_lifecycle", PackageResources._12_mockup_lifecycle_sql),
    migration(13, "mockup_feed", PackageResources._13_mockup_feed_sql),
    migration(14, "scenes", PackageResources._14_scenes_sql),
    migration(15, "performance", PackageResources._15_performance_sql),
    migration(16, "administration", PackageResources._16_administration_sql),
    migration(17, "sweeper", PackageResources._17_sweeper_sql),
    migration(18, "access", PackageResources._18_access_sql),
  ]

  private static func migration(_ version: Int, _ name: String, _ sql: [UInt8]) -> Migration {
    Migration(version: version, name: name, sql: String(decoding: sql, as: UTF8.self))
  }
}
