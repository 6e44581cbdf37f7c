public import Postgres

/// The database schema, as migrations that are compiled into the program.
public enum Schema {
  /// The name of the PostgreSQL schema for internal objects, such as the record of applied
  /// migrations.
  public static let name = "mockupd"

  /// The versioned migrations (`SQL/Migrations`), in order.
  public static let migrations: [Migration] = [
    migration(0, "foundation", PackageResources._00_foundation_sql),
    migration(7, "mockups", PackageResources._07_mockups_sql),
    migration(8, "ledger", PackageResources._08_ledger_sql),
    migration(9, "checks", PackageResources._09_checks_sql),
    migration(10, "counters", PackageResources._10_counters_sql),
    migration(11, "reservations", PackageResources._11_reservations_sql),
    migration(12, "mockup_jobs", PackageResources._12_mockup_jobs_sql),
    migration(13, "mockup_feed", PackageResources._13_mockup_feed_sql),
    migration(14, "scenes", PackageResources._14_scenes_sql),
    migration(15, "performance", PackageResources._15_performance_sql),
    migration(16, "administration", PackageResources._16_administration_sql),
    migration(17, "access", PackageResources._17_access_sql),
    migration(18, "alerts", PackageResources._18_alerts_sql),
    migration(19, "changed_functions", PackageResources._19_changed_functions_sql),
    migration(20, "function_calls", PackageResources._20_function_calls_sql),
    migration(21, "partitions", PackageResources._21_partitions_sql),
    migration(22, "performance_entries", PackageResources._22_performance_entries_sql),
    migration(23, "attempt_ends", PackageResources._23_attempt_ends_sql),
    migration(24, "mockups_fill_factor", PackageResources._24_mockups_fill_factor_sql),
    migration(25, "dropped_functions", PackageResources._25_dropped_functions_sql),
  ]

  /// The functions, views, aggregates and triggers (`SQL/Functions`), in the order of application.
  ///
  /// Each comes after those that it uses, since PostgreSQL checks the body of a view, or of a
  /// function in SQL, when it is created.
  ///
  /// Each release that changes one of them raises the revision. Older programs then refuse the
  /// database.
  public static let functions = RepeatableMigrations(
    revision: 3,
    migrations: [
      function("credits/guardrail", PackageResources.guardrail_sql),
      function("credits/default_annual_budget", PackageResources.default_annual_budget_sql),
      function("credits/default_soft_limit", PackageResources.default_soft_limit_sql),
      function("credits/user_budgets", PackageResources.user_budgets_sql),
      function("alerts/alert_thresholds", PackageResources.alert_thresholds_sql),
      function("credits/available", PackageResources.available_sql),
      function("credits/as_integer", PackageResources.as_integer_sql),
      function("credits/wait_for_replication", PackageResources.wait_for_replication_sql),
      function("credits/as_of", PackageResources.as_of_sql),
      function("credits/time_ordered_id", PackageResources.time_ordered_id_sql),
      function("credits/open_reservations", PackageResources.open_reservations_sql),
      function("credits/expire_due", PackageResources.expire_due_sql),
      function("credits/make_counters", PackageResources.make_counters_sql),
      function("credits/refresh_counters", PackageResources.refresh_counters_sql),
      function("credits/require_year", PackageResources.require_year_sql),
      function("credits/lock_counters", PackageResources.lock_counters_sql),
      function("credits/lock_user", PackageResources.lock_user_sql),
      function("credits/locked_users", PackageResources.locked_users_sql),
      function("credits/lock_reservation", PackageResources.lock_reservation_sql),
      function("credits/draw", PackageResources.draw_sql),
      function("credits/drawn", PackageResources.drawn_sql),
      function("credits/reserve", PackageResources.reserve_sql),
      function("credits/reserve_all", PackageResources.reserve_all_sql),
      function("credits/earlier_settlement", PackageResources.earlier_settlement_sql),
      function("credits/after_commit", PackageResources.after_commit_sql),
      function("credits/settle", PackageResources.settle_sql),
      function("credits/settle_all", PackageResources.settle_all_sql),
      function("credits/undo_dispatch", PackageResources.undo_dispatch_sql),
      function("credits/leave_unresolved", PackageResources.leave_unresolved_sql),
      function("credits/release_group", PackageResources.release_group_sql),
      function("credits/refund", PackageResources.refund_sql),
      function("credits/usage_at", PackageResources.usage_at_sql),
      function("credits/credit_usage", PackageResources.credit_usage_sql),
      function("credits/get_reservation", PackageResources.get_reservation_sql),
      function("credits/list_reservations", PackageResources.list_reservations_sql),
      function("credits/list_credit_usage", PackageResources.list_credit_usage_sql),
      function("credits/export_credit_usage", PackageResources.export_credit_usage_sql),
      function("credits/usage_history_by_day", PackageResources.usage_history_by_day_sql),
      function("credits/usage_history_by_month", PackageResources.usage_history_by_month_sql),
      function("credits/user_exists", PackageResources.user_exists_sql),
      function("credits/sweep_reservations", PackageResources.sweep_reservations_sql),
      function("credits/delete_reservations", PackageResources.delete_reservations_sql),
      function("credits/credit_counters_deleted", PackageResources.credit_counters_deleted_sql),
      function("alerts/note_alerts", PackageResources.note_alerts_sql),
      function("alerts/credit_counters_alerts", PackageResources.credit_counters_alerts_sql),
      function("dashboard/require_self_or_service", PackageResources.require_self_or_service_sql),
      function("dashboard/get_credit_usage", PackageResources.get_credit_usage_sql),
      function("dashboard/reserve_mockup_credits", PackageResources.reserve_mockup_credits_sql),
      function("scenes/resolved_scene", PackageResources.resolved_scene_sql),
      function("scenes/create_scene_template", PackageResources.create_scene_template_sql),
      function("scenes/get_scene_template", PackageResources.get_scene_template_sql),
      function("scenes/list_scene_templates", PackageResources.list_scene_templates_sql),
      function("scenes/update_scene_template", PackageResources.update_scene_template_sql),
      function("scenes/delete_scene_template", PackageResources.delete_scene_template_sql),
      function("mockups/generate_mockups", PackageResources.generate_mockups_sql),
      function("mockups/regenerate_mockup", PackageResources.regenerate_mockup_sql),
      function("mockups/expire_leases", PackageResources.expire_leases_sql),
      function("mockups/claimable_mockups", PackageResources.claimable_mockups_sql),
      function("mockups/claim_mockups", PackageResources.claim_mockups_sql),
      function("mockups/heartbeat_mockup", PackageResources.heartbeat_mockup_sql),
      function("mockups/picture_metadata", PackageResources.picture_metadata_sql),
      function("mockups/lock_mockups", PackageResources.lock_mockups_sql),
      function("mockups/locked_attempts", PackageResources.locked_attempts_sql),
      function("mockups/complete_mockups", PackageResources.complete_mockups_sql),
      function("mockups/fail_mockups", PackageResources.fail_mockups_sql),
      function("mockups/review_mockup", PackageResources.review_mockup_sql),
      function("mockups/delete_mockup", PackageResources.delete_mockup_sql),
      function("mockups/get_mockup", PackageResources.get_mockup_sql),
      function("mockups/list_mockups", PackageResources.list_mockups_sql),
      function("feed/note_mockup_changes", PackageResources.note_mockup_changes_sql),
      function("feed/mockups_were_inserted", PackageResources.mockups_were_inserted_sql),
      function("feed/mockups_were_updated", PackageResources.mockups_were_updated_sql),
      function("feed/mockups_were_deleted", PackageResources.mockups_were_deleted_sql),
      function("feed/mockups_feed_insert", PackageResources.mockups_feed_insert_sql),
      function("feed/mockups_feed_update", PackageResources.mockups_feed_update_sql),
      function("feed/mockups_feed_delete", PackageResources.mockups_feed_delete_sql),
      function("feed/mockup_feed", PackageResources.mockup_feed_sql),
      function("feed/list_mockup_changes", PackageResources.list_mockup_changes_sql),
      function("performance/count_performance", PackageResources.count_performance_sql),
      function("admin/user_label", PackageResources.user_label_sql),
      function("admin/find_users", PackageResources.find_users_sql),
      function("alerts/last_alert_id", PackageResources.last_alert_id_sql),
      function("alerts/alerts_after", PackageResources.alerts_after_sql),
      function("alerts/list_alerts", PackageResources.list_alerts_sql),
      function("admin/export_ledger", PackageResources.export_ledger_sql),
      function("admin/unresolved_reservations", PackageResources.unresolved_reservations_sql),
      function(
        "admin/list_unresolved_reservations", PackageResources.list_unresolved_reservations_sql),
      function("admin/usage_report", PackageResources.usage_report_sql),
      function("admin/usage_report_page", PackageResources.usage_report_page_sql),
      function("admin/set_budget", PackageResources.set_budget_sql),
      function("admin/try_set_budget", PackageResources.try_set_budget_sql),
      function("admin/resolve_reservation", PackageResources.resolve_reservation_sql),
      function("admin/try_resolve_reservation", PackageResources.try_resolve_reservation_sql),
      function("alerts/verify_alerts", PackageResources.verify_alerts_sql),
      function("admin/verify_counters", PackageResources.verify_counters_sql),
      function("admin/verify_users", PackageResources.verify_users_sql),
      function("admin/partitions", PackageResources.partitions_sql),
      function("admin/waiting", PackageResources.waiting_sql),
      function("admin/database_facts", PackageResources.database_facts_sql),
      function("admin/credit_totals", PackageResources.credit_totals_sql),
      function("access/guard_mockup_status", PackageResources.guard_mockup_status_sql),
      function("access/mockups_status_transition", PackageResources.mockups_status_transition_sql),
      function("access/guard_mockup_owner", PackageResources.guard_mockup_owner_sql),
      function("access/mockups_owner", PackageResources.mockups_owner_sql),
      function(
        "access/mockup_scene_templates_updated_at",
        PackageResources.mockup_scene_templates_updated_at_sql),
      function("access/guard_system_scene", PackageResources.guard_system_scene_sql),
      function(
        "access/mockup_scene_templates_system", PackageResources.mockup_scene_templates_system_sql),
    ])

  /// Creates the migrator of this schema.
  ///
  /// - Parameters:
  ///   - configuration: The configuration of the migrator's connection.
  ///   - lockTimeout: The maximum time to wait for a lock that another session holds.
  ///   - onEvent: A function that is called for each event; see ``Postgres/Migrator``.
  /// - Throws: ``MigrationError`` if the list of migrations is invalid.
  public static func migrator(
    configuration: PostgresConfiguration,
    lockTimeout: Duration = .seconds(600),
    onEvent: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
  ) throws(MigrationError) -> Migrator {
    try Migrator(
      configuration: configuration, schema: name, migrations: migrations, repeatable: functions,
      lockTimeout: lockTimeout, onEvent: onEvent)
  }

  private static func migration(_ version: Int, _ name: String, _ sql: [UInt8]) -> Migration {
    Migration(version: version, name: name, sql: String(decoding: sql, as: UTF8.self))
  }

  private static func function(_ name: String, _ sql: [UInt8]) -> RepeatableMigration {
    RepeatableMigration(name: name, sql: String(decoding: sql, as: UTF8.self))
  }
}
