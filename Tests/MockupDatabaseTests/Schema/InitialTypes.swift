/// The types of the initial schema's clients, with the messages and fields that replace them.
enum InitialTypes {
  typealias Field = (name: String, wire: String)

  static let all: [String: (file: String, message: String, fields: [Field])] = [
    "Mockup": ("mockups", "Mockup", mockup),
    "MockupStatus": ("mockups", "MockupStatus", []),
    "SceneConfig": (
      "scenes", "SceneConfig",
      fields(["smart_object", "default_size", "position", "rotation", "scale"])
    ),
    "MockupSceneTemplate": ("scenes", "SceneTemplate", template),
    "CreditUsage": (
      "credits", "CreditUsage",
      fields([
        "total_used", "monthly_used", "annual_budget", "monthly_soft_limit", "remaining_annual",
        "remaining_monthly",
      ])
    ),
    "MockupGenerationRequest": (
      "mockups", "GenerateMockupsRequest",
      [("assetIds", "asset_ids"), ("scenes", "scenes"), ("skipApproval", "skip_approval")]
    ),
    "MockupGenerationResult": (
      "mockups", "MockupGenerationResult",
      [
        ("mockupId", "mockup_id"), ("assetId", "asset_id"), ("scene", "scene"),
        ("status", "success"), ("url", "url"), ("error", "error"), ("creditsUsed", "credits_used"),
      ]
    ),
  ]

  static let mockup = columns(
    of: "mockups",
    renamed: [
      "id": "mockup_id", "dm_metadata": "dm_metadata_json",
    ])
  static let template = columns(of: "mockup_scene_templates", renamed: ["id": "template_id"])
  static let entry = columns(of: "mockup_credit_usage", renamed: ["id": "entry_id"])

  /// Returns one field for each column of a table.
  private static func columns(of table: String, renamed: [String: String]) -> [Field] {
    let columns = InitialSchema.columns.first { $0.table == table }?.columns ?? []
    return columns.map { column in
      let name = String(column.prefix { $0 != " " })
      return (name, renamed[name] ?? name)
    }
  }

  private static func fields(_ names: [String]) -> [Field] {
    names.map { ($0, $0) }
  }
}
