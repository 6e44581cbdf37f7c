import Testing

/// What the first schema lets happen and ours does not: the same steps, and what they answer in each.
///
/// `$user` has an asset, a pending mockup and settings; `$other` has an asset, `$theirs`.
struct Defect: Sendable, CustomTestStringConvertible {
  enum Step: Sendable {
    /// A query's one value, of whoever is signed in.
    case user(String)
    /// The same, after a statement of the same transaction.
    case userAfter(String, String)
    /// How many rows a statement changes, of whoever is signed in.
    case change(String)
    case anonymous(String)
    case serviceChange(String)
    /// A statement of the owner's.
    case owner(String)
  }

  var testDescription: String
  /// Data that the first schema let in, before ours is applied.
  var data: String
  var steps: [Step]
  /// The answers in the first schema; an error's is its state.
  var first: String
  /// The answers in ours.
  var ours: String

  init(
    _ description: String, data: String = "", _ steps: [Step], first: String, ours: String
  ) {
    testDescription = description
    self.data = data
    self.steps = steps
    self.first = first
    self.ours = ours
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
      first: "true, true", ours: "true, false"),
    Defect(
      "a negative number is reserved",
      [.user("SELECT success FROM reserve_mockup_credits('$user', -100)")],
      first: "true", ours: "false"),
    Defect(
      "NULL is reserved",
      [.user("SELECT success FROM reserve_mockup_credits('$user', NULL)")],
      first: "true", ours: "false"),
    Defect(
      "a user writes the ledger",
      [
        .change(
          "INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before, "
            + "balance_after) VALUES ('$user', -1000000, 'generation', 0, 0)")
      ],
      first: "1", ours: "42501"),
    Defect(
      "who is not signed in reads anybody's usage",
      [.anonymous("SELECT annual_budget FROM get_credit_usage('$user')")],
      first: "3500", ours: "42501"),
    Defect(
      "who is not signed in reserves for anybody",
      [.anonymous("SELECT success FROM reserve_mockup_credits('$user', 1)")],
      first: "true", ours: "42501"),
    Defect(
      "a temporary table raises a budget",
      [
        .userAfter(
          "CREATE TEMPORARY TABLE user_settings ON COMMIT DROP AS SELECT '$user'::uuid AS user_id, "
            + #"'{"annual_mockup_budget": 1000000}'::jsonb AS guardrails"#,
          "SELECT annual_budget FROM get_credit_usage('$user')")
      ],
      first: "1000000", ours: "3500"),
    Defect(
      "a pending mockup needs a file",
      [
        .change("INSERT INTO mockups (user_id, asset_id, scene) VALUES ('$user', '$user', 'attic')")
      ],
      first: "23502", ours: "1"),
    Defect(
      "a refund gives nothing back",
      data: entries("(100, 'generation'), (40, 'refund')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      first: "100", ours: "60"),
    Defect(
      "a regeneration costs nothing",
      data: entries("(100, 'generation'), (40, 'regeneration')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      first: "100", ours: "140"),
    Defect(
      "any word is an operation",
      data: entries("(100, 'generation')"),
      [.owner("UPDATE mockup_credit_usage SET operation = 'gift'")],
      first: "1", ours: "23514"),
    Defect(
      "a user approves a mockup that is not completed",
      [.change("UPDATE mockups SET status = 'approved' WHERE user_id = '$user'")],
      first: "1", ours: "23514"),
    Defect(
      "a user sets a mockup's counters",
      [.change("UPDATE mockups SET total_pins = 1000000 WHERE user_id = '$user'")],
      first: "1", ours: "42501"),
    Defect(
      "a mockup takes the asset of another user",
      [
        .serviceChange(
          "INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key) "
            + "VALUES ('$user', '$other', 'attic', '', '')")
      ],
      first: "1", ours: "23503"),
    Defect(
      "a budget with a fraction stops all generation",
      [
        .owner(#"UPDATE user_settings SET guardrails = '{"annual_mockup_budget": "3500.5"}'"#),
        .user("SELECT remaining FROM reserve_mockup_credits('$user', 1)"),
      ],
      first: "1, 22P02", ours: "1, 3499"),
    Defect(
      "a budget that is no number stops all generation",
      [
        .owner(#"UPDATE user_settings SET guardrails = '{"annual_mockup_budget": "abc"}'"#),
        .user("SELECT remaining FROM reserve_mockup_credits('$user', 1)"),
      ],
      first: "1, 22P02", ours: "1, 3499"),
    Defect(
      "a large sum overflows",
      data: entries("(2147483647, 'generation'), (2147483647, 'generation')"),
      [.user("SELECT total_used FROM get_credit_usage('$user')")],
      first: "22003", ours: "2147483647"),
    Defect(
      "no year has a full budget",
      data: entries("(100, 'generation')"),
      [.user("SELECT remaining_annual FROM get_credit_usage('$user', NULL)")],
      first: "3500", ours: "3400"),
    Defect(
      "a user's template that is marked as the system's shows to everybody",
      data: "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, "
        + "is_system) VALUES ('$other', 'trap', 'Trap', 'dm_1', true)",
      [.user("SELECT count(*) FROM mockup_scene_templates WHERE scene_key = 'trap'")],
      first: "1", ours: "0"),
    Defect(
      "a user's template is marked as the system's",
      [
        .owner(
          "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, "
            + "is_system) VALUES ('$other', 'trap', 'Trap', 'dm_1', true)")
      ],
      first: "1", ours: "23514"),
    Defect(
      "a user has two templates of one key",
      [.owner(template), .change(template)],
      first: "1, 1", ours: "1, 23505"),
    Defect(
      "a template keeps its time of change",
      [
        .owner(template),
        .owner("UPDATE mockup_scene_templates SET name = 'Loft' WHERE scene_key = 'attic'"),
        .user(
          "SELECT updated_at > created_at FROM mockup_scene_templates WHERE scene_key = 'attic'"),
      ],
      first: "1, 1, false", ours: "1, 1, true"),
  ]
}
