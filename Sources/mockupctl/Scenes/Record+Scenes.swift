internal import MockupClient

extension Record {
  /// Creates the record of a template in a list.
  init(brief template: SceneTemplate) {
    self.init([
      "scene_key": .text(template.sceneKey),
      "name": .text(template.name),
      "dm_template_id": .text(template.dmTemplateID),
      "is_system": .flag(template.isSystem),
      "is_active": .flag(template.isActive),
      "recommended_collections": .id(template.recommendedCollections.joined(separator: ",")),
      "template_id": .text(template.templateID),
    ])
  }

  init(_ template: SceneTemplate) {
    let config = template.config ?? SceneConfig()
    self.init([
      "template_id": .text(template.templateID),
      "user_id": .id(template.userID),
      "scene_key": .text(template.sceneKey),
      "name": .text(template.name),
      "description": .id(template.description),
      "dm_template_id": .text(template.dmTemplateID),
      "dm_template_url": .id(template.dmTemplateURL),
      "smart_object": .id(config.smartObject),
      "width": .real(config.defaultSize?.width),
      "height": .real(config.defaultSize?.height),
      "x": .real(config.position?.x),
      "y": .real(config.position?.y),
      "rotation": .real(config.rotation),
      "scale": .real(config.scale),
      "other_json": .id(config.otherJSON),
      "preview_url": .id(template.previewURL),
      "is_active": .flag(template.isActive),
      "is_system": .flag(template.isSystem),
      "recommended_collections": .id(template.recommendedCollections.joined(separator: ",")),
      "created_at": .time(template.createdAt),
      "updated_at": .time(template.updatedAt),
    ])
  }
}
