import FoundationEssentials
import MockupAPI
import MockupDatabase
import MockupCore
import Testing
import TTRPC

@testable import MockupServices

/// The limits on the fields of mockup requests, and the fields that errors name.
@Suite struct MockupRequestTests {
  private static let id = "11111111-2222-3333-4444-555555555555"

  private static let generate = GenerateMockupsRequest(
    userID: id, requestID: id, assetIDs: [id], scenes: ["bedroom"])
  private static let claim = ClaimMockupsRequest(worker: "w")
  private static let complete = CompleteMockupRequest(
    userID: id, mockupID: id, attempt: 1, fileURL: "u", fileKey: "k")

  /// Returns the field that is refused, or nil if none is.
  private static func refusal<Value>(_ body: () throws(RPCError) -> Value) -> String? {
    do throws(RPCError) {
      _ = try body()
      return nil
    } catch {
      guard error.code == .invalidArgument, case .badRequest(let fields)? = error.details.first
      else { return "\(error)" }
      return fields.first?.field
    }
  }

  private static func uuids(_ count: Int) -> [String] {
    (0..<count).map { _ in UUID().wireText }
  }

  @Test func `the fields of a generation are within their limits`() {
    let table: [(String?, (inout GenerateMockupsRequest) -> Void)] = [
      (nil, { _ in }),
      ("user_id", { $0.userID = "" }),
      ("user_id", { $0.userID = "me" }),
      ("request_id", { $0.requestID = "" }),
      ("asset_ids", { $0.assetIDs = [] }),
      ("asset_ids", { $0.assetIDs = [Self.id, "x"] }),
      ("scenes", { $0.scenes = [] }),
      ("scenes", { $0.scenes = [""] }),
      ("scenes", { $0.scenes = ["a\0b"] }),
      ("scenes", { $0.scenes = [String(repeating: "x", count: 201)] }),
      ("quote_id", { $0.quoteID = "x" }),
      ("credits_per_mockup", { $0.creditsPerMockup = -1 }),
      ("credits_per_mockup", { $0.creditsPerMockup = 1001 }),
      (nil, { $0.creditsPerMockup = 1000 }),
      ("time_to_live_seconds", { $0.timeToLiveSeconds = 86_401 }),
      ("time_to_live_seconds", { $0.timeToLiveSeconds = -1 }),
      (nil, { $0.timeToLiveSeconds = 1 }),
      (nil, { $0.assetIDs = Self.uuids(500) }),
      ("asset_ids", { $0.assetIDs = Self.uuids(501) }),
      ("asset_ids", { ($0.assetIDs, $0.scenes) = (Self.uuids(251), ["a", "b"]) }),
      // Duplicates do not count.
      (nil, { $0.assetIDs = Array(repeating: Self.id, count: 1000) }),
    ]
    for (index, (field, change)) in table.enumerated() {
      var request = Self.generate
      change(&request)
      #expect(Self.refusal { () throws(RPCError) in try request.generation() } == field, "\(index)")
    }
  }

  @Test func `a generation reserves one credit for a day by default`() throws {
    let request = try Self.generate.generation()
    #expect(request.cost.credits == 1)
    #expect(request.cost.timeToLive == .seconds(86_400))
    #expect(request.quoteID == nil)
  }

  @Test func `the fields of a claim are within their limits`() throws {
    let table: [(String?, (inout ClaimMockupsRequest) -> Void)] = [
      (nil, { _ in }),
      ("worker", { $0.worker = "" }),
      ("worker", { $0.worker = String(repeating: "x", count: 201) }),
      ("count", { $0.count = -1 }), ("count", { $0.count = 101 }), (nil, { $0.count = 100 }),
      ("lease_seconds", { $0.leaseSeconds = -1 }), ("lease_seconds", { $0.leaseSeconds = 3601 }),
      ("wait_seconds", { $0.waitSeconds = -1 }), ("wait_seconds", { $0.waitSeconds = 61 }),
    ]
    for (index, (field, change)) in table.enumerated() {
      var request = Self.claim
      change(&request)
      #expect(Self.refusal { () throws(RPCError) in try request.claim() } == field, "\(index)")
    }
    let claim = try Self.claim.claim()
    #expect(claim.count == 1)
    #expect(claim.lease == .seconds(60))
    #expect(claim.wait == .zero)
  }

  @Test func `the fields of a completion are within their limits`() {
    let long = String(repeating: "x", count: 4097)
    let table: [(String?, (inout CompleteMockupRequest) -> Void)] = [
      (nil, { _ in }),
      ("file_url", { $0.fileURL = "" }), ("file_url", { $0.fileURL = long }),
      ("file_key", { $0.fileKey = "" }), ("file_key", { $0.fileKey = "\0" }),
      ("thumbnail_url", { $0.thumbnailURL = long }),
      ("dm_render_id", { $0.dmRenderID = String(repeating: "x", count: 201) }),
      ("dm_metadata_json", { $0.dmMetadataJSON = String(repeating: "x", count: 65_537) }),
      ("quality_score", { $0.qualityScore = 1.001 }), ("quality_score", { $0.qualityScore = .nan }),
      ("quality_score", { $0.qualityScore = -0.1 }), (nil, { $0.qualityScore = 1 }),
      ("credits", { $0.credits = -1 }), (nil, { $0.credits = 0 }),
    ]
    for (index, (field, change)) in table.enumerated() {
      var request = Self.complete
      change(&request)
      #expect(Self.refusal { () throws(RPCError) in try request.picture() } == field, "\(index)")
    }
  }

  @Test func `a page token decodes to its cursor, and other text is refused`() throws {
    let user = UUID()
    for microseconds in [1_778_414_400_123_457, 1, -1] {
      let cursor = MockupCursor(
        createdAt: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000), id: UUID())
      let token = PageToken.text(cursor, of: user)
      #expect(try PageToken.mockup(token, of: user, "page_token") == cursor)
    }
    #expect(try PageToken.mockup("", of: user, "page_token") == nil)
    let position = "mockups/\(user.wireText)/1"
    for text in ["x", "MS8y", Data("\(position)/".utf8).base64EncodedString()] {
      #expect(
        Self.refusal { () throws(RPCError) in
          try PageToken.mockup(text, of: user, "page_token")
        } == "page_token")
    }
  }

  @Test func `a page token holds every time that PostgreSQL can store, and no earlier one`() throws
  {
    let user = UUID()
    // 4713 BC, year 1, the end of year 9999, and the last microsecond in 64 bits.
    for microseconds in [
      -210_863_520_000_000_000, -62_135_596_800_000_000, 253_402_300_799_000_000, Int64.max,
    ] {
      let createdAt = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
      let mockup = MockupCursor(createdAt: createdAt, id: UUID())
      let token = PageToken.text(mockup, of: user)
      #expect(try PageToken.mockup(token, of: user, "page_token") == mockup)
    }
    for time in ["-210863520000000001", "9223372036854775808"] {
      let token = Data("mockups/\(user.wireText)/\(time)/\(UUID().wireText)".utf8)
        .base64EncodedString()
      #expect(
        Self.refusal { () throws(RPCError) in
          try PageToken.mockup(token, of: user, "page_token")
        } == "page_token")
    }
  }

  @Test func `a page token holds every key of a scene`() throws {
    for key in ["bedroom", "a/b", "/", "\u{301}x", "é", "e\u{301}"] {
      let cursor = SceneCursor(key: key, isSystem: false, id: UUID())
      let read = try PageToken.scene(PageToken.text(cursor, of: nil), of: nil, "page_token")
      #expect(read.map { Array($0.key.utf8) } == Array(key.utf8), "\(key)")
      #expect(read?.id == cursor.id)
    }
  }

  @Test func `a token of another list or another user is refused`() throws {
    let (user, other) = (UUID(), UUID())
    let position = MockupCursor(createdAt: Date(timeIntervalSince1970: 1), id: UUID())
    let entry = LedgerCursor(year: 2026, sequence: 4)
    let tokens: [String: String] = [
      "mockups": PageToken.text(position, of: user),
      "reservations": PageToken.text(
        ReservationCursor(createdAt: position.createdAt, id: position.id), of: user),
      "ledger": PageToken.text(entry, of: user),
      "export": PageToken.text(export: entry, of: user),
      "mockup watch": PageToken.text(4, of: user),
      "alerts": PageToken.text(alerts: [4], of: user),
      "alert watch": PageToken.text(alertWatch: [4]),
    ]
    let lists: [String: (String, UUID) throws(RPCError) -> Bool] = [
      "mockups": { text, user throws(RPCError) in
        try PageToken.mockup(text, of: user, "f") != nil
      },
      "reservations": { text, user throws(RPCError) in
        try PageToken.reservation(text, of: user, "f") != nil
      },
      "ledger": { text, user throws(RPCError) in
        try PageToken.ledger(text, of: user, "f") != nil
      },
      "export": { text, user throws(RPCError) in
        try PageToken.export(text, of: user, "f") != nil
      },
      "mockup watch": { text, user throws(RPCError) in
        try PageToken.revision(text, of: user, "f") != nil
      },
      "alerts": { text, user throws(RPCError) in
        try PageToken.alerts(text, of: user, count: 1, "f") != nil
      },
    ]
    for (name, token) in tokens {
      for (list, decode) in lists {
        let isAccepted = Self.refusal { () throws(RPCError) in try decode(token, user) } == nil
        #expect(isAccepted == (name == list), "\(name) for \(list)")
        #expect(Self.refusal { () throws(RPCError) in try decode(token, other) } == "f")
      }
    }
  }
}
