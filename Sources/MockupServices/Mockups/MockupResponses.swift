internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the domain's values to the responses of `MockupServices`.

extension MockupAPI.Mockup {
  init(_ mockup: MockupCore.Mockup) {
    let picture = mockup.picture
    self.init(
      mockupID: mockup.id.wireText,
      userID: mockup.userID.wireText,
      assetID: mockup.assetID.wireText,
      quoteID: mockup.quoteID?.wireText ?? "",
      scene: mockup.scene,
      sceneConfig: SceneConfig(mockup.sceneConfig),
      fileURL: picture.fileURL,
      fileKey: picture.fileKey,
      thumbnailURL: picture.thumbnailURL ?? "",
      dmRenderID: picture.renderID ?? "",
      dmMetadataJSON: picture.metadata ?? "",
      creditsUsed: mockup.creditsUsed,
      qualityScore: picture.qualityScore,
      status: MockupAPI.MockupStatus(mockup.status),
      errorMessage: mockup.errorMessage ?? "",
      totalPins: mockup.totalPins,
      totalImpressions: mockup.totalImpressions,
      createdAt: Timestamp(mockup.createdAt),
      updatedAt: Timestamp(mockup.updatedAt),
      attempt: mockup.attempt,
      reservationID: mockup.reservationID?.wireText ?? "")
  }
}

extension MockupAPI.MockupStatus {
  init(_ status: MockupCore.MockupStatus) {
    switch status {
    case .pending: self = .pending
    case .generating: self = .generating
    case .completed: self = .completed
    case .failed: self = .failed
    case .approved: self = .approved
    case .rejected: self = .rejected
    }
  }
}

extension GenerateMockupsResponse {
  init(_ outcome: GenerationOutcome) {
    self.init(
      results: outcome.results.map { MockupGenerationResult($0) },
      usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed)
  }
}

extension MockupGenerationResult {
  init(_ result: GenerationResult) {
    self.init(assetID: result.assetID.wireText, scene: result.scene)
    switch result.decision {
    case .made(let mockup):
      success = true
      mockupID = mockup.id.wireText
      reservationID = mockup.reservationID.wireText
      status = mockup.status.map { MockupAPI.MockupStatus($0) } ?? .unspecified
      url = mockup.fileURL
      creditsUsed = mockup.creditsUsed
    case .failed(let failure):
      status = .failed
      switch failure {
      case .unknownAsset:
        self.failure = .unknownAsset
        error = "the user has no such asset"
      case .unknownScene:
        self.failure = .unknownScene
        error = "there is no such scene"
      case .insufficientCredits:
        self.failure = .insufficientCredits
        error = "insufficient credits"
      }
    }
  }
}

extension RegenerateMockupResponse {
  init(_ outcome: RegenerationOutcome) {
    self.init(
      success: outcome.admission.isAdmitted,
      remaining: outcome.admission.remaining,
      message: outcome.admission.message,
      mockup: outcome.mockup.map { Mockup($0) },
      usage: CreditUsage(outcome.admission.usage),
      replayed: outcome.isReplayed)
  }
}

extension MockupAPI.ClaimedMockup {
  init(_ claimed: MockupDatabase.ClaimedMockup) {
    self.init(
      mockup: Mockup(claimed.mockup),
      attempt: claimed.mockup.attempt,
      leaseExpiresAt: Timestamp(claimed.leaseExpiresAt),
      credits: claimed.credits,
      dmTemplateID: claimed.templateID ?? "",
      dmTemplateURL: claimed.templateURL ?? "",
      attemptsLeft: claimed.attemptsLeft)
  }
}

extension CompleteMockupResponse {
  init(_ outcome: MockupOutcome) {
    self.init(
      mockup: Mockup(outcome.mockup), usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed)
  }
}

extension FailMockupResponse {
  init(_ outcome: MockupOutcome) {
    self.init(
      mockup: Mockup(outcome.mockup), usage: CreditUsage(outcome.usage),
      replayed: outcome.isReplayed)
  }
}
