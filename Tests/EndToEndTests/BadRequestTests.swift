import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Requests that make no sense: each gets a clear status, and changes nothing.
@Suite struct BadRequestTests {
  /// A user with a held and a committed reservation, and a user without any.
  struct World {
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
    /// Where something is wrong with one field: which.
    var field: String?
    let call: @Sendable (World) async throws -> Void

    init(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ call: @escaping @Sendable (World) async throws -> Void
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
      Case("reserve: \(name)", code, field) { world in
        var request = world.reserve
        change(&request)
        _ = try await world.stub.reserveCredits(request)
      }
    }

    static func commit(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ change: @escaping @Sendable (inout CommitReservationRequest, World) -> Void
    ) -> Case {
      Case("commit: \(name)", code, field) { world in
        var request = world.commit
        change(&request, world)
        _ = try await world.stub.commitReservation(request)
      }
    }

    static func list(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout ListCreditUsageRequest) -> Void
    ) -> Case {
      Case("list: \(name)", .invalidArgument, field) { world in
        var request = ListCreditUsageRequest(userID: world.user.wireText)
        change(&request)
        _ = try await world.stub.listCreditUsage(request)
      }
    }

    static func usage(
      _ name: String, _ code: StatusCode, _ field: String? = nil,
      _ change: @escaping @Sendable (inout GetCreditUsageRequest) -> Void
    ) -> Case {
      Case("usage: \(name)", code, field) { world in
        var request = GetCreditUsageRequest(userID: world.user.wireText)
        change(&request)
        _ = try await world.stub.getCreditUsage(request)
      }
    }
  }

  private static let noUUIDs = [
    "", "5", "not-a-uuid", String(repeating: "z", count: 36), String(repeating: "-", count: 36),
    String(repeating: "é", count: 18), "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
    "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c",
    "6ba7b810-9dad-11d1-80b4-00c04fd430cg", "6ba7b810-9dad-11d1-80b4-00c04fd430 8",
    "+ba7b810-9dad-11d1-80b4-00c04fd430c8", "0xa7b810-9dad-11d1-80b4-00c04fd430c8",
    "6ba7b8109-dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n",
  ]

  private static let idCases: [Case] = noUUIDs.flatMap { text -> [Case] in
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
    .reserve("no credits", .invalidArgument, "credits") { $0.credits = 0 },
    .reserve("-1 credits", .invalidArgument, "credits") { $0.credits = -1 },
    .reserve("the least credits", .invalidArgument, "credits") { $0.credits = .min },
    .reserve("a refund", .invalidArgument, "operation") { $0.operation = .refund },
    .reserve("operation 4", .invalidArgument, "operation") { $0.operation = .unrecognized(4) },
    .reserve("operation -1", .invalidArgument, "operation") { $0.operation = .unrecognized(-1) },
    .reserve("mode 4", .invalidArgument, "mode") { $0.mode = .unrecognized(4) },
    .reserve("a group that is no id", .invalidArgument, "group_id") { $0.groupID = "a" },
    .reserve("time to live -1", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = -1
    },
    .reserve("time to live 86401", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = 86_401
    },
    .reserve("the longest time to live", .invalidArgument, "time_to_live_seconds") {
      $0.timeToLiveSeconds = .max
    },
    .reserve("check no credits", .invalidArgument, "credits") {
      $0.mode = .checkOnly
      $0.credits = 0
    },
    .reserve("check a refund", .invalidArgument, "operation") {
      $0.mode = .checkOnly
      $0.operation = .refund
    },
    .reserve("unknown user", .notFound) { $0.userID = UUID().wireText },
    .reserve("check unknown user", .notFound) {
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
    .commit("another user's reservation", .notFound) { request, world in
      request.userID = world.other.wireText
    },
    .commit("one more than is held", .failedPrecondition) { request, _ in request.credits = 6 },
    .commit("far more than is held", .failedPrecondition) { request, _ in
      request.credits = .max
    },
    .commit("a second one", .failedPrecondition) { request, world in
      request.reservationID = world.committed.wireText
      request.commitID = UUID().wireText
    },
    .commit("other credits under the same id", .alreadyExists, "credits") { request, world in
      request.reservationID = world.committed.wireText
      request.credits = 1
    },
    Case("release: committed", .failedPrecondition) { world in
      _ = try await world.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: world.user.wireText, reservationID: world.committed.wireText))
    },
    Case("release: another user's reservation", .notFound) { world in
      _ = try await world.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: world.other.wireText, reservationID: world.held.wireText))
    },
    Case("get: another user's reservation", .notFound) { world in
      _ = try await world.stub.getReservation(
        GetReservationRequest(userID: world.other.wireText, reservationID: world.held.wireText))
    },
    Case("get: unknown reservation", .notFound) { world in
      _ = try await world.stub.getReservation(
        GetReservationRequest(userID: world.user.wireText, reservationID: UUID().wireText))
    },
    Case("reserve: a held id with other credits", .alreadyExists, "credits") { world in
      var request = world.reserve
      request.reservationID = world.held.wireText
      _ = try await world.stub.reserveCredits(request)
    },
    Case("reserve: a held id with another operation", .alreadyExists, "operation") { world in
      var request = world.reserve
      request.reservationID = world.held.wireText
      request.credits = 5
      request.operation = .regeneration
      _ = try await world.stub.reserveCredits(request)
    },
  ]

  private static let batchCases: [Case] = [
    Case("dispatch: time to live -1", .invalidArgument, "time_to_live_seconds") { world in
      _ = try await world.stub.dispatchReservation(
        DispatchReservationRequest(
          userID: world.user.wireText, reservationID: world.held.wireText, timeToLiveSeconds: -1))
    },
    Case("dispatch: committed", .failedPrecondition) { world in
      _ = try await world.stub.dispatchReservation(
        DispatchReservationRequest(
          userID: world.user.wireText, reservationID: world.committed.wireText))
    },
    Case("extend: time to live 86401", .invalidArgument, "time_to_live_seconds") { world in
      _ = try await world.stub.extendReservation(
        ExtendReservationRequest(
          userID: world.user.wireText, reservationID: world.held.wireText,
          timeToLiveSeconds: 86_401))
    },
    Case("release: a reservation and a group", .invalidArgument, "group_id") { world in
      _ = try await world.stub.releaseReservation(
        ReleaseReservationRequest(
          userID: world.user.wireText, reservationID: world.held.wireText,
          groupID: UUID().wireText))
    },
    Case("release: unknown group", .notFound) { world in
      _ = try await world.stub.releaseReservation(
        ReleaseReservationRequest(userID: world.user.wireText, groupID: UUID().wireText))
    },
    Case("refund: no credits", .invalidArgument, "credits") { world in
      _ = try await world.stub.refundCredits(
        RefundCreditsRequest(
          userID: world.user.wireText, refundID: UUID().wireText, entryID: UUID().wireText,
          credits: 0))
    },
    Case("refund: unknown entry", .notFound) { world in
      _ = try await world.stub.refundCredits(
        RefundCreditsRequest(
          userID: world.user.wireText, refundID: UUID().wireText, entryID: UUID().wireText))
    },
    Case("batch: empty", .invalidArgument, "requests") { world in
      _ = try await world.stub.batchReserveCredits(BatchReserveCreditsRequest())
    },
    Case("batch: one too many", .invalidArgument, "requests") { world in
      _ = try await world.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: (0...512).map { _ in world.reserve }))
    },
    Case("batch: a check", .invalidArgument, "requests[1].mode") { world in
      var check = world.reserve
      check.mode = .checkOnly
      _ = try await world.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: [world.reserve, check]))
    },
    Case("batch: mode 3", .invalidArgument, "mode") { world in
      _ = try await world.stub.batchReserveCredits(
        BatchReserveCreditsRequest(requests: [world.reserve], mode: .unrecognized(3)))
    },
    Case("batch: no action", .invalidArgument, "settlements[0].action") { world in
      _ = try await world.stub.batchSettleReservations(
        BatchSettleReservationsRequest(settlements: [ReservationSettlement()]))
    },
    Case("batch: a group", .invalidArgument, "settlements[0].group_id") { world in
      let release = ReleaseReservationRequest(
        userID: world.user.wireText, groupID: UUID().wireText)
      _ = try await world.stub.batchSettleReservations(
        BatchSettleReservationsRequest(
          settlements: [ReservationSettlement(action: .release(release))]))
    },
  ]

  private static let readCases: [Case] = [
    Case("reservations: no state", .invalidArgument, "states") { world in
      _ = try await world.stub.listReservations(
        ListReservationsRequest(userID: world.user.wireText, states: [.unspecified]))
    },
    Case("reservations: a token of another list", .invalidArgument, "page_token") { world in
      _ = try await world.stub.listReservations(
        ListReservationsRequest(
          userID: world.user.wireText, pageToken: Data("2026/1".utf8).base64EncodedString()))
    },
    Case("reservations: a token beyond all times", .invalidArgument, "page_token") { world in
      let token = "\(Int64.max)/\(UUID().wireText)"
      _ = try await world.stub.listReservations(
        ListReservationsRequest(
          userID: world.user.wireText, pageToken: Data(token.utf8).base64EncodedString()))
    },
    Case("export: unknown user", .notFound) { world in
      try await world.stub.exportCreditUsage(
        ExportCreditUsageRequest(userID: UUID().wireText)
      ) { pieces in
        for try await _ in pieces {}
      }
    },
    Case("export: a token that is none", .invalidArgument, "resume_token") { world in
      try await world.stub.exportCreditUsage(
        ExportCreditUsageRequest(userID: world.user.wireText, resumeToken: "a")
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
    .list("a token of no base64", "page_token") { $0.pageToken = "…" },
    .list("a token of other words", "page_token") { $0.pageToken = "aGVsbG8=" },
    .list("a token with SQL", "page_token") { $0.pageToken = "MjAyNi8xOyBEUk9Q" },
    .list("a token beyond 64 bits", "page_token") {
      $0.pageToken = Data("2026/9223372036854775808".utf8).base64EncodedString()
    },
    .list("a token with three parts", "page_token") {
      $0.pageToken = Data("2026/1/1".utf8).base64EncodedString()
    },
  ]

  @Test func eachIsRefusedByNameAndChangesNothing() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let client = Client(path: server.socket)
        let world = World(
          user: try await database.makeUser(annualBudget: 10),
          other: try await database.makeUser(annualBudget: 10),
          stub: CreditServiceClient(client))
        for (id, credits) in [(world.held, Int32(5)), (world.committed, 2)] {
          _ = try await world.stub.reserveCredits(
            ReserveCreditsRequest(
              userID: world.user.wireText, credits: credits, reservationID: id.wireText))
        }
        _ = try await world.stub.commitReservation(
          CommitReservationRequest(
            userID: world.user.wireText, reservationID: world.committed.wireText))
        let before = try await database.books()

        let cases =
          Self.idCases + Self.reserveCases + Self.settleCases + Self.batchCases + Self.readCases
        for test in cases {
          do {
            try await test.call(world)
            Issue.record("\(test.name) was answered")
          } catch let error as RPCError {
            #expect(error.code == test.code, "\(test.name): \(error)")
            #expect(!error.message.isEmpty, "\(test.name)")
            #expect(
              error.fieldViolations.map(\.field) == (test.field.map { [$0] } ?? []),
              "\(test.name): \(error)")
          }
        }
        #expect(try await database.books() == before)

        var most = world.reserve
        most.credits = .max
        let refused = try await world.stub.reserveCredits(most)
        #expect(!refused.success)
        #expect(refused.remaining == 3)
        #expect(refused.message == "Insufficient credits. 3 remaining.")
        #expect(try await world.stub.reserveCredits(world.reserve).success)
        await client.close()
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}
