internal import MockupClient

extension Record {
  /// Creates the row of a template in a table, with the most important fields first.
  init(row template: SceneTemplate) {
    self.init([
      "scene_key": .text(template.sceneKey),
      "name": .text(template.name),
      "template_id": .text(template.templateID),
      "is_system": .flag(template.isSystem),
      "is_active": .flag(template.isActive),
      "dm_template_id": .text(template.dmTemplateID),
      "recommended_collections": .list(template.recommendedCollections),
    ])
  }

  init(_ template: SceneTemplate) {
    self.init([
      "template_id": .text(template.templateID),
      "user_id": .optionalText(template.userID),
      "scene_key": .text(template.sceneKey),
      "name": .text(template.name),
      "description": .optionalText(template.description),
      "dm_template_id": .text(template.dmTemplateID),
      "dm_template_url": .optionalText(template.dmTemplateURL),
    ])
    fields += Record(template.config ?? SceneConfig()).fields
    fields +=
      Record([
        "preview_url": .optionalText(template.previewURL),
        "is_active": .flag(template.isActive),
        "is_system": .flag(template.isSystem),
        "recommended_collections": .list(template.recommendedCollections),
        "created_at": .time(template.createdAt),
        "updated_at": .time(template.updatedAt),
      ]).fields
  }

  init(_ config: SceneConfig) {
    self.init([
      "smart_object": .optionalText(config.smartObject),
      "width": .decimal(config.defaultSize?.width),
      "height": .decimal(config.defaultSize?.height),
      "x": .decimal(config.position?.x),
      "y": .decimal(config.position?.y),
      "rotation": .decimal(config.rotation),
      "scale": .decimal(config.scale),
      "other_json": .optionalText(config.otherJSON),
    ])
  }
}
