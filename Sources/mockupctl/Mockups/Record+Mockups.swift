internal import MockupClient
internal import VisibleText

// Records of mockups. The names are those of the messages' fields.

extension Record {
  init(_ mockup: Mockup) {
    let config = mockup.sceneConfig
    self.init([
      "mockup_id": .text(mockup.mockupID),
      "user_id": .text(mockup.userID),
      "asset_id": .text(mockup.assetID),
      "quote_id": .optionalText(mockup.quoteID),
      "scene": .text(mockup.scene),
      "smart_object": .optionalText(config?.smartObject ?? ""),
      "status": .text(mockup.status.name),
      "file_url": .optionalText(mockup.fileURL),
      "file_key": .optionalText(mockup.fileKey),
      "thumbnail_url": .optionalText(mockup.thumbnailURL),
      "dm_render_id": .optionalText(mockup.dmRenderID),
      "dm_metadata_json": .optionalText(mockup.dmMetadataJSON),
      "credits_used": .number(mockup.creditsUsed),
      "quality_score": .decimal(mockup.qualityScore),
      "error_message": .optionalText(mockup.errorMessage),
      "total_pins": .number(mockup.totalPins),
      "total_impressions": .number(mockup.totalImpressions),
      "created_at": .time(mockup.createdAt),
      "updated_at": .time(mockup.updatedAt),
      "attempt": .number(mockup.attempt),
      "reservation_id": .optionalText(mockup.reservationID),
    ])
  }

  /// Creates the row of a mockup in a table, with the most important fields first.
  init(row mockup: Mockup) {
    self.init([
      "mockup_id": .text(mockup.mockupID),
      "status": .text(mockup.status.name),
      "scene": .text(mockup.scene),
      "credits_used": .number(mockup.creditsUsed),
      "created_at": .time(mockup.createdAt?.inSeconds),
      "asset_id": .text(mockup.assetID),
      "file_url": .optionalText(mockup.fileURL),
    ])
  }

  /// Creates the record of a claimed mockup, with what a worker needs to make and report it.
  init(_ claimed: ClaimedMockup) {
    self.init(listed: claimed)
    fields.append(("dm_template_url", .optionalText(claimed.dmTemplateURL)))
    fields += Record(claimed.mockup?.sceneConfig ?? SceneConfig()).fields
  }

  /// Creates the record of a claimed mockup in a list, with the fields that fit into a line.
  ///
  /// A worker reports with the first three. The scene is last, so that `read` in a shell takes a
  /// key with spaces as one value.
  init(listed claimed: ClaimedMockup) {
    let mockup = claimed.mockup ?? Mockup()
    self.init([
      "mockup_id": .text(mockup.mockupID),
      "user_id": .text(mockup.userID),
      "attempt": .number(claimed.attempt),
      "attempts_left": .number(claimed.attemptsLeft),
      "credits": .number(claimed.credits),
      "lease_expires_at": .time(claimed.leaseExpiresAt),
      "asset_id": .text(mockup.assetID),
      "dm_template_id": .optionalText(claimed.dmTemplateID),
      "scene": .text(mockup.scene),
    ])
    requiredCount = 3
  }

  /// Creates the record of the mockup of an ended attempt, and of its user's credits.
  init(_ mockup: Mockup?, usage: CreditUsage?, isReplayed: Bool) {
    self.init(mockup ?? Mockup())
    fields.append(("remaining_annual", .number(usage?.remainingAnnual ?? 0)))
    fields.append(("replayed", .flag(isReplayed)))
  }

  init(_ result: MockupGenerationResult) {
    self.init([
      "asset_id": .text(result.assetID),
      "scene": .text(result.scene),
      "success": .flag(result.success),
      "mockup_id": .optionalText(result.mockupID),
      "reservation_id": .optionalText(result.reservationID),
      "status": .text(result.status.name),
      "credits_used": .number(result.creditsUsed),
      "url": .optionalText(result.url),
      "error": .optionalText(result.error),
    ])
  }

  /// Creates the row of a result in a table, with the most important fields first.
  init(row result: MockupGenerationResult) {
    self.init([
      "mockup_id": .optionalText(result.mockupID),
      "scene": .text(result.scene),
      "success": .flag(result.success),
      "asset_id": .text(result.assetID),
      "status": .text(result.status.name),
      "credits_used": .number(result.creditsUsed),
      "reservation_id": .optionalText(result.reservationID),
      "url": .optionalText(result.url),
    ])
    if !result.error.isEmpty { note = .text(result.error.visible()) }
  }
}
