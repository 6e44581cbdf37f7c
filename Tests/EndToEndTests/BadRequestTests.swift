import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Invalid requests, each of which is refused with a specific status and changes nothing.
@Suite struct BadRequestTests {
  /// A user with a held and a committed reservation, and a user without any.
  struct Fixture {
    let user: UUID
    let other: UUID
    let held = UUID()
    let committed = UUID()
    let stub: CreditServiceClient

    var reserve: ReserveCreditsRequest {
      ReserveCreditsRequest(
        userID: user.wireText, credits: 1, reservationID: UUID().wireText)
    }
    var commit: CommitReservationRequest {
      CommitReservationRequest(userID: user.wireText, reservationID: held.wireText)
    }
  }

  struct Case: Sendable {
    let name: String
    let code: StatusCode
    /// The invalid field, or `nil` if the error is not about one field.
    var field: String?
    let call: @Sendable (Fixture) async throws -> Void

    init(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ call: @escaping @Sendable (Fixture) async throws -> Void
    ) {
      self.name = name
      self.code = code
      self.field = field
      self.call = call
    }

    static func reserve(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ change: @escaping @Sendable (inout ReserveCreditsRequest) -> Void
    ) -> Case {
      Case("reserve: \(name)", code, field) { fixture in
        var request = fixture.reserve
        change(&request)
        _ = try await fixture.stub.reserveCredits(request)
      }
    }

    static func commit(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ change: @escaping @Sendable (inout CommitReservationRequest, Fixture) -> Void
    ) -> Case {
      Case("commit: \(name)", code, field) { fixture in
        var request = fixture.commit
        change(&request, fixture)
        _ = try await fixture.stub.commitReservation(request)
      }
    }

    static func list(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout ListCreditUsageRequest) -> Void
    ) -> Case {
      Case("list: \(name)", .invalidArgument, field) { fixture in
        var request = ListCreditUsageRequest(userID: fixture.user.wireText)
        change(&request)
        _ = try await fixture.stub.listCreditUsage(request)
      }
    }

    static func usage(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ change: @escaping @Sendable (inout GetCreditUsageRequest) -> Void
    ) -> Case {
      Case("usage: \(name)", code, field) { fixture in
        var request = GetCreditUsageRequest(userID: fixture.user.wireText)
        change(&request)
        _ = try await fixture.stub.getCreditUsage(request)
      }
    }
  }

  private static let invalidUUIDs = [
    "", "5", "not-a-uuid", String(repeating: "z", count: 36), String(repeating: "-", count: 36),
    String(repeating: "é", count: 18), "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
    "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c",
    "6ba7b810-9dad-11d1-80b4-00c04fd430cg", "6ba7b810-9dad-11d1-80b4-00c04fd430 8",
    "+ba7b810-9dad-11d1-80b4-00c04fd430c8", "0xa7b810-9dad-11d1-80b4-00c04fd430c8",
    "6ba7b8109-dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n",
  ]

  private static let idCases: [Case] = invalidUUIDs.flatMap { text -> [Case] in
    let cases: [Case] = [
      .reserve("user \(text)", .invalidArgument, "user_id") { $0.userID = text },
      .reserve("reservation \(text)", .invalidArgument, "reservation_id") {
        $0.reservationID = text
      },
      .commit("user \(text)", .invalidArgument, "user_id") { request, _ in request.userID = text },
      .commit("reservation \(text)", .invalidArgument, "reservation_id") { request, _ in
        request.reservationID = text
      },
      .usage("user \(text)", .invalidArgument, "user_id") { $0.userID = text },
      .list("user \(text)", "user_id") { $0.userID = text },
    ]
    let optional: [Case] = [
      .reserve("mockup \(text)", .invalidArgument, "mockup_id") { $0.mockupID = text },
      .commit("commit \(text)", .invalidArgument, "commit_id") { request, _ in
        request.commitID = text
      },
    ]
    return text.isEmpty ? cases : cases + optional
  }

  private static let reserveCases: [Case] = [
    .reserve("0 credits", .invalidArgument, "credits") { $0.credits = 0 },
    .reserve("-1 credits", .invalidArgument, "credits") { $0.credits = -1 },
    .reserve("the minimum Int32 credits", .invalidArgument, "credits") { $0.credits = .min },
    .reserve("operation refund", .invalidArgument, "operation") { $0.operation = .refund },
    .reserve("operation 4", .invalidArgument, "operation") { $0.operation = .unrecognized(4) },
    .reserve("operation -1", .invalidArgument, "operation") { $0.operation = .unrecognized(-1) },
    .reserve("mode 4", .invalidArgument, "mode") { $0.mode = .unrecognized(4) },
    .reserve("an invalid group id", .invalidArgument, "group_id") { $0.groupID = "a" },
    .reserve("time to live -1", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = -1
    },
    .reserve("time to live 86401", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = 86_401
    },
    .reserve("the maximum Int32 time to live", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = .max
    },
    .reserve("check mode with 0 credits", .invalidArgument, "credits") {
      $0.mode = .checkOnly
      $0.credits = 0
    },
    .reserve("check mode with operation refund", .invalidArgument, "operation") {
      $0.mode = .checkOnly
      $0.operation = .refund
    },
    .reserve("check mode with an invalid group id", .invalidArgument, "group_id") {
      $0.mode = .checkOnly
      $0.groupID = "a"
    },
    .reserve("check mode with an invalid mockup id", .invalidArgument, "mockup_id") {
      $0.mode = .checkOnly
      $0.mockupID = "a"
    },
    .reserve("check mode with time to live 86401", .invalidArgument, "time_to_live_seconds") {
      $0.mode = .checkOnly
      $0.timeToLiveSeconds = 86_401
    },
    .reserve("check mode with unknown mockup", .notFound) {
      $0.mode = .checkOnly
      $0.mockupID = UUID().wireText
    },
    .reserve("unknown user", .notFound) { $0.userID = UUID().wireText },
    .reserve("check mode with unknown user", .notFound) {
      $0.mode = .checkOnly
      $0.userID = UUID().wireText
    },
    .reserve("unknown mockup", .notFound) { $0.mockupID = UUID().wireText },
  ]

  private static let settleCases: [Case] = [
    .commit("-1 credits", .invalidArgument, "credits") { request, _ in request.credits = -1 },
    .commit("unknown user", .notFound) { request, _ in request.userID = UUID().wireText },
    .commit("unknown reservation", .notFound) { request, _ in
      request.reservationID = UUID().wireText
    },
    .commit("another user's reservation", .notFound) { request, fixture in
      request.userID = fixture.other.wireText
    },
    .commit("one more than is held", .failedPrecondition) { request, _ in request.credits = 6 },
    .commit("far more than is held", .failedPrecondition) { request, _ in
      request.credits = .max
    },
    .commit("a second final commit", .failedPrecondition) { request, fixture in
      request.reservationID = fixture.committed.wireText
      request.commitID = UUID().wireText
    },
    .commit("same id with different credits", .alreadyExists, "credits") { request, fixture in
      request.reservationID = fixture.committed.wireText
      request.credits = 1
    },
    Case("release: committed", .failedPrecondition) { fixture in
      _ = try await fixture.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: fixture.user.wireText, reservationID: fixture.committed.wireText))
    },
    Case("release: another user's reservation", .notFound) { fixture in
      _ = try await fixture.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: fixture.other.wireText, reservationID: fixture.held.wireText))
    },
    Case("get: another user's reservation", .notFound) { fixture in
      _ = try await fixture.stub.getReservation(
        GetReservationRequest(userID: fixture.other.wireText, reservationID: fixture.held.wireText))
    },
    Case("get: unknown reservation", .notFound) { fixture in
      _ = try await fixture.stub.getReservation(
        GetReservationRequest(userID: fixture.user.wireText, reservationID: UUID().wireText))
    },
    Case("reserve: same id with different credits", .alreadyExists, "credits") { fixture in
      var request = fixture.reserve
      request.reservationID = fixture.held.wireText
      _ = try await fixture.stub.reserveCredits(request)
    },
    Case("reserve: same id with a different time to live", .alreadyExists, "time_to_live_seconds") {
      fixture in
      var request = fixture.reserve
      request.reservationID = fixture.held.wireText
      request.credits = 5
      request.timeToLiveSeconds = 77
      _ = try await fixture.stub.reserveCredits(request)
    },
    Case("reserve: same id with a different operation", .alreadyExists, "operation") { fixture in
      var request = fixture.reserve
      request.reservationID = fixture.held.wireText
      request.credits = 5
      request.operation = .regeneration
      _ = try await fixture.stub.reserveCredits(request)
    },
  ]

  private static let batchCases: [Case] = [
    Case("dispatch: time to live -1", .invalidArgument, "time_to_live_seconds") { fixture in
      _ = try await fixture.stub.dispatchReservation(
        DispatchReservationRequest(
          userID: fixture.user.wireText, reservationID: fixture.held.wireText, timeToLiveSeconds: -1
        ))
    },
    Case("dispatch: committed", .failedPrecondition) { fixture in
      _ = try await fixture.stub.dispatchReservation(
        DispatchReservationRequest(
          userID: fixture.user.wireText, reservationID: fixture.committed.wireText))
    },
    Case("extend: time to live 86401", .invalidArgument, "time_to_live_seconds") { fixture in
      _ = try await fixture.stub.extendReservation(
        ExtendReservationRequest(
          userID: fixture.user.wireText, reservationID: fixture.held.wireText,
          timeToLiveSeconds: 86_401))
    },
    Case("release: a reservation and a group", .invalidArgument, "group_id") { fixture in
      _ = try await fixture.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: fixture.user.wireText, reservationID: fixture.held.wireText,
          groupID: UUID().wireText))
    },
    Case("release: unknown group", .notFound) { fixture in
      _ = try await fixture.stub.releaseReservation(
        ReleaseReservationRequest(userID: fixture.user.wireText, groupID: UUID().wireText))
    },
    Case("refund: 0 credits", .invalidArgument, "credits") { fixture in
      _ = try await fixture.stub.refundCredits(
        RefundCreditsRequest(
          userID: fixture.user.wireText, refundID: UUID().wireText, entryID: UUID().wireText,
          credits: 0))
    },
    Case("refund: unknown entry", .notFound) { fixture in
      _ = try await fixture.stub.refundCredits(
        RefundCreditsRequest(
          userID: fixture.user.wireText, refundID: UUID().wireText, entryID: UUID().wireText))
    },
    Case("batch: empty", .invalidArgument, "requests") { fixture in
      _ = try await fixture.stub.batchReserveCredits(BatchReserveCreditsRequest())
    },
    Case("batch: 513 requests", .invalidArgument, "requests") { fixture in
      _ = try await fixture.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: (0...512).map { _ in fixture.reserve }))
    },
    Case("batch: a request in check mode", .invalidArgument, "requests[1].mode") { fixture in
      var check = fixture.reserve
      check.mode = .checkOnly
      _ = try await fixture.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: [fixture.reserve, check]))
    },
    Case("batch: mode 3", .invalidArgument, "mode") { fixture in
      _ = try await fixture.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: [fixture.reserve], mode: .unrecognized(3)))
    },
    Case("batch: no action", .invalidArgument, "settlements[0].action") { fixture in
      _ = try await fixture.stub.batchSettleReservations(
        BatchSettleReservationsRequest(settlements: [ReservationSettlement()]))
    },
    Case("batch: -1 credits", .invalidArgument, "settlements[0].commit.credits") { fixture in
      let commit = CommitReservationRequest(
        userID: fixture.user.wireText, reservationID: UUID().wireText, credits: -1)
      _ = try await fixture.stub.batchSettleReservations(
        BatchSettleReservationsRequest(settlements: [ReservationSettlement(action: .commit(commit))]
        ))
    },
    Case("batch: a release of a group", .invalidArgument, "settlements[0].release.group_id") {
      fixture in
      let release = ReleaseReservationRequest(
        userID: fixture.user.wireText, groupID: UUID().wireText)
      _ = try await fixture.stub.batchSettleReservations(
        BatchSettleReservationsRequest(
          settlements: [ReservationSettlement(action: .release(release))]))
    },
  ]

  private static let readCases: [Case] = [
    Case("reservations: state unspecified", .invalidArgument, "states") { fixture in
      _ = try await fixture.stub.listReservations(
        ListReservationsRequest(userID: fixture.user.wireText, states: [.unspecified]))
    },
    Case("reservations: a token of another list", .invalidArgument, "page_token") { fixture in
      _ = try await fixture.stub.listReservations(
        ListReservationsRequest(
          userID: fixture.user.wireText, pageToken: Data("2026/1".utf8).base64EncodedString()))
    },
    Case("reservations: a token with an out-of-range time", .invalidArgument, "page_token") {
      fixture in
      let token = "\(Int64.max)/\(UUID().wireText)"
      _ = try await fixture.stub.listReservations(
        ListReservationsRequest(
          userID: fixture.user.wireText, pageToken: Data(token.utf8).base64EncodedString()))
    },
    Case("export: unknown user", .notFound) { fixture in
      try await fixture.stub.exportCreditUsage(
        ExportCreditUsageRequest(userID: UUID().wireText)
      ) { pieces in
        for try await _ in pieces {}
      }
    },
    Case("export: an invalid token", .invalidArgument, "resume_token") { fixture in
      try await fixture.stub.exportCreditUsage(
        ExportCreditUsageRequest(userID: fixture.user.wireText, resumeToken: "a")
      ) { pieces in
        for try await _ in pieces {}
      }
    },
    .usage("month 13", .invalidArgument, "month") { $0.month = 13 },
    .usage("month -1", .invalidArgument, "month") { $0.month = -1 },
    .usage("year 10000", .invalidArgument, "year") { $0.year = 10_000 },
    .usage("year -1", .invalidArgument, "year") { $0.year = -1 },
    .usage("unknown user", .notFound) { $0.userID = UUID().wireText },
    .list("page size -1", "page_size") { $0.pageSize = -1 },
    .list("a token that is not base64", "page_token") { $0.pageToken = "…" },
    .list("a token with unrelated text", "page_token") { $0.pageToken = "aGVsbG8=" },
    .list("a token with SQL", "page_token") { $0.pageToken = "MjAyNi8xOyBEUk9Q" },
    .list("a token with a number above 64 bits", "page_token") {
      $0.pageToken = Data("2026/9223372036854775808".utf8).base64EncodedString()
    },
    .list("a token with three parts", "page_token") {
      $0.pageToken = Data("2026/1/1".utf8).base64EncodedString()
    },
  ]

  @Test func `each invalid request is refused with the field at fault and changes nothing`()
    async throws
  {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let client = Client(path: server.socket)
        let fixture = Fixture(
          user: try await database.makeUser(annualBudget: 10),
          other: try await database.makeUser(annualBudget: 10),
          stub: CreditServiceClient(client))
        for (id, credits) in [(fixture.held, Int32(5)), (fixture.committed, 2)] {
          _ = try await fixture.stub.reserveCredits(
            ReserveCreditsRequest(
              userID: fixture.user.wireText, credits: credits, reservationID: id.wireText))
        }
        _ = try await fixture.stub.commitReservation(
          CommitReservationRequest(
            userID: fixture.user.wireText, reservationID: fixture.committed.wireText))
        let before = try await database.ledgerRows()

        let cases =
          Self.idCases + Self.reserveCases + Self.settleCases + Self.batchCases + Self.readCases
        for test in cases {
          do {
            try await test.call(fixture)
            Issue.record("\(test.name) succeeded")
          } catch let error as RPCError {
            #expect(error.code == test.code, "\(test.name): \(error)")
            #expect(!error.message.isEmpty, "\(test.name)")
            #expect(
              error.fieldViolations.map(\.field) == (test.field.map { [$0] } ?? []),
              "\(test.name): \(error)")
          }
        }
        #expect(try await database.ledgerRows() == before)

        var largest = fixture.reserve
        largest.credits = .max
        let refused = try await fixture.stub.reserveCredits(largest)
        #expect(!refused.success)
        #expect(refused.remaining == 3)
        #expect(refused.message == "Insufficient credits. 3 remaining.")
        #expect(try await fixture.stub.reserveCredits(fixture.reserve).success)
        await client.close()
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
