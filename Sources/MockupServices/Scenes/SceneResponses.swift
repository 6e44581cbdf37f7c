internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the domain's values to the responses of `SceneService`.

extension MockupAPI.SceneTemplate {
  init(_ template: MockupCore.SceneTemplate) {
    self.init(
      templateID: template.id.wireText,
      userID: template.userID?.wireText ?? "",
      sceneKey: template.key,
      name: template.name,
      description: template.description ?? "",
      dmTemplateID: template.vendorID,
      dmTemplateURL: template.vendorURL ?? "",
      config: SceneConfig(template.config),
      previewURL: template.previewURL ?? "",
      isActive: template.isActive,
      isSystem: template.isSystem,
      recommendedCollections: template.recommendedCollections,
      createdAt: Timestamp(template.createdAt),
      updatedAt: Timestamp(template.updatedAt))
  }
}
