import Testing

/// A defect of the initial schema: steps, and their results before and after the migrations.
///
/// `$user` has an asset, a pending mockup and settings; `$other` has an asset.
struct Defect: Sendable, CustomTestStringConvertible {
  enum Step: Sendable {
    /// A query of the user, which has a single value.
    case user(String)
    /// A query of the user, after a statement in the same transaction.
    case userAfter(String, String)
    /// A statement of the user, whose result is the number of changed rows.
    case change(String)
    /// A query of an anonymous client.
    case anonymous(String)
    /// A statement of a service, whose result is the number of changed rows.
    case serviceChange(String)
    /// A statement of the owner, whose result is the number of changed rows.
    case owner(String)
  }

  var testDescription: String
  /// SQL that inserts data into the initial schema, before the migrations.
  var data: String
  var steps: [Step]
  /// The results in the initial schema, with the SQLSTATE of an error.
  var initial: String
  /// The results in the migrated schema.
  var migrated: String

  init(
    _ description: String, data: String = "", _ steps: [Step], initial: String, migrated: String
  ) {
    testDescription = description
    self.data = data
    self.steps = steps
    self.initial = initial
    self.migrated = migrated
  }

  private static func entries(_ values: String) -> String {
    """
    INSERT INTO mockup_credit_usage
      (user_id, credits, operation, balance_before, balance_after, year, month)
    SELECT '$user', credits, operation, 0, 0, extract(year FROM now() AT TIME ZONE 'UTC'), 1
    FROM (VALUES \(values)) AS v (credits, operation)
    """
  }

  private static let template =
    "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id) "
    + "VALUES ('$user', 'attic', 'Attic', 'dm_1')"

  static let all = [
    Defect(
      "the whole budget is reserved twice",
      [
        .user("SELECT success FROM reserve_mockup_credits('$user', 3500)"),
        .user("SELECT success FROM reserve_mockup_credits('$user', 3500)"),
      ],
      initial: "true, true", migrated: "true, false"),
    Defect(
      "a negative number is reserved",
      [.user("SELECT success FROM reserve_mockup_credits('$user', -100)")],
      initial: "true", migrated: "false"),
    Defect(
      "NULL is reserved",
      [.user("SELECT success FROM reserve_mockup_credits('$user', NULL)")],
      initial: "true", migrated: "false"),
    Defect(
      "a user writes the ledger",
      [
        .change(
          "INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before, "
            + "balance_after) VALUES ('$user', -1000000, 'generation', 0, 0)")
      ],
      initial: "1", migrated: "42501"),
    Defect(
      "an anonymous client reads the usage of any user",
      [.anonymous("SELECT annual_budget FROM get_credit_usage('$user')")],
      initial: "3500", migrated: "42501"),
    Defect(
      "an anonymous client reserves credits of any user",
      [.anonymous("SELECT success FROM reserve_mockup_credits('$user', 1)")],
      initial: "true", migrated: "42501"),
    Defect(
      "a temporary table raises a budget",
      [
        .userAfter(
          "CREATE TEMPORARY TABLE user_settings ON COMMIT DROP AS SELECT '$user'::uuid AS user_id, "
            + #"'{"annual_mockup_budget": 1000000}'::jsonb AS guardrails"#,
          "SELECT annual_budget FROM get_credit_usage('$user')")
      ],
      initial: "1000000", migrated: "3500"),
    Defect(
      "a pending mockup needs a file",
      [
        .change("INSERT INTO mockups (user_id, asset_id, scene) VALUES ('$user', '$user', 'attic')")
      ],
      initial: "23502", migrated: "1"),
    Defect(
      "a refund does not reduce the usage",
      data: entries("(100, 'generation'), (40, 'refund')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      initial: "100", migrated: "60"),
    Defect(
      "a regeneration costs nothing",
      data: entries("(100, 'generation'), (40, 'regeneration')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      initial: "100", migrated: "140"),
    Defect(
      "an entry has an unknown operation",
      data: entries("(100, 'generation')"),
      [.owner("UPDATE mockup_credit_usage SET operation = 'gift'")],
      initial: "1", migrated: "23514"),
    Defect(
      "a user approves a mockup that is not completed",
      [.change("UPDATE mockups SET status = 'approved' WHERE user_id = '$user'")],
      initial: "1", migrated: "23514"),
    Defect(
      "a user sets a mockup's counters",
      [.change("UPDATE mockups SET total_pins = 1000000 WHERE user_id = '$user'")],
      initial: "1", migrated: "42501"),
    Defect(
      "a mockup has the asset of another user",
      [
        .serviceChange(
          "INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key) "
            + "VALUES ('$user', '$other', 'attic', '', '')")
      ],
      initial: "1", migrated: "23503"),
    Defect(
      "a fractional budget blocks all reservations",
      [
        .owner(#"UPDATE user_settings SET guardrails = '{"annual_mockup_budget": "3500.5"}'"#),
        .user("SELECT remaining FROM reserve_mockup_credits('$user', 1)"),
      ],
      initial: "1, 22P02", migrated: "1, 3499"),
    Defect(
      "a non-numeric budget blocks all reservations",
      [
        .owner(#"UPDATE user_settings SET guardrails = '{"annual_mockup_budget": "abc"}'"#),
        .user("SELECT remaining FROM reserve_mockup_credits('$user', 1)"),
      ],
      initial: "1, 22P02", migrated: "1, 3499"),
    Defect(
      "a large sum overflows",
      data: entries("(2147483647, 'generation'), (2147483647, 'generation')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      initial: "22003", migrated: "2147483647"),
    Defect(
      "a null year reports the full budget",
      data: entries("(100, 'generation')"),
      [.user("SELECT remaining_annual FROM get_credit_usage('$user', NULL)")],
      initial: "3500", migrated: "3400"),
    Defect(
      "a user template that is marked as a system template is visible to every user",
      data: "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, "
        + "is_system) VALUES ('$other', 'trap', 'Trap', 'dm_1', true)",
      [.user("SELECT count(*) FROM mockup_scene_templates WHERE scene_key = 'trap'")],
      initial: "1", migrated: "0"),
    Defect(
      "a user template is marked as a system template",
      [
        .owner(
          "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, "
            + "is_system) VALUES ('$other', 'trap', 'Trap', 'dm_1', true)")
      ],
      initial: "1", migrated: "23514"),
    Defect(
      "a user has two templates with the same key",
      [.owner(template), .change(template)],
      initial: "1, 1", migrated: "1, 23505"),
    Defect(
      "an update does not change the update time of a template",
      [
        .owner(template),
        .owner("UPDATE mockup_scene_templates SET name = 'Loft' WHERE scene_key = 'attic'"),
        .user(
          "SELECT updated_at > created_at FROM mockup_scene_templates WHERE scene_key = 'attic'"),
      ],
      initial: "1, 1, false", migrated: "1, 1, true"),
  ]
}
