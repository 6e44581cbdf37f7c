internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the requests of workers to the domain's values.

/// The parameters of a worker's claim.
struct MockupClaim {
  var worker: String
  var count: Int32
  var lease: Duration
  /// The time to wait for a mockup if none is pending.
  var wait: Duration
}

extension ClaimMockupsRequest {
  func claim() throws(RPCError) -> MockupClaim {
    try RequestFields.length(worker, 1...200, "worker")
    let count = count == 0 ? 1 : count
    try MockupFields.within(1...100, count, "count")
    try MockupFields.within(0...60, waitSeconds, "wait_seconds")
    return MockupClaim(
      worker: worker, count: count, lease: try MockupFields.lease(leaseSeconds),
      wait: .seconds(Int64(waitSeconds)))
  }
}

extension MockupAttempt {
  init(user: String, mockup: String, attempt: Int32) throws(RPCError) {
    let userID = try RequestFields.uuid(user, "user_id")
    let mockupID = try RequestFields.uuid(mockup, "mockup_id")
    guard attempt >= 1 else { throw .invalid("attempt", "\(attempt) is below 1") }
    self.init(userID: userID, mockupID: mockupID, number: attempt)
  }
}

extension CompleteMockupRequest {
  func picture() throws(RPCError) -> Picture {
    let longest = MockupFields.maximumURLBytes
    try RequestFields.bytes(fileURL, 1...longest, "file_url")
    try RequestFields.bytes(fileKey, 1...longest, "file_key")
    try RequestFields.bytes(thumbnailURL, 0...longest, "thumbnail_url")
    guard dmMetadataJSON.utf8.count <= MockupFields.maximumMetadataBytes else {
      throw .invalid(
        "dm_metadata_json", "is longer than \(MockupFields.maximumMetadataBytes) bytes")
    }
    if let qualityScore, !(0...1).contains(qualityScore) {
      throw .invalid("quality_score", "\(qualityScore) is not between 0 and 1")
    }
    if let credits, credits < 0 { throw .invalid("credits", "\(credits) is negative") }
    return Picture(
      fileURL: fileURL,
      fileKey: fileKey,
      thumbnailURL: thumbnailURL.isEmpty ? nil : thumbnailURL,
      renderID: try MockupFields.optionalText(dmRenderID, longest: 200, "dm_render_id"),
      metadata: try MockupFields.optionalText(
        dmMetadataJSON, longest: MockupFields.maximumMetadataBytes, "dm_metadata_json"),
      qualityScore: qualityScore)
  }
}
