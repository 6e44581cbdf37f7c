import Foundation
import Glibc
import MockupAPI
import MockupClient
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Linearizability of the server's responses while the server and its database are killed.
///
/// To repeat the calls of a failed run, though not their timing, set `MOCKUPD_TEST_SEED=<seed>`.
@Suite struct KillTests {
  private static let clients = 3
  /// The number of calls that end between two kills.
  private static let callsPerKill = 40

  @Test(.timeLimit(.minutes(20)))
  func `answers are linearizable while the server and PostgreSQL are killed`() async throws {
    let seed = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED").seed
    try await PrivatePostgres.with { postgres in
      try await withTemporaryFolder { folder in
        let users = [UUID(), UUID()]
        for user in users { try await postgres.makeUser(user, annualBudget: 12) }
        let histories = users.map { _ in HistoryRecorder<LedgerCall, [String]>() }
        let isOver = Flag()
        var server = try await RunningServer.start(on: postgres.database, folder: folder)
        let socket = server.socket
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (user, history) in zip(users, histories) {
            for client in 0..<Self.clients {
              group.addTask {
                try await call(
                  until: isOver, as: client, for: user, at: socket, history, seed: seed)
              }
            }
          }
          do {
            for kill in 0..<6 {
              let goal = histories.reduce(0) { $0 + $1.calls.count } + Self.callsPerKill
              try await eventually("\(Self.callsPerKill) calls have ended") {
                histories.reduce(0) { $0 + $1.calls.count } >= goal
              }
              switch kill % 3 {
              case 0:
                _ = await server.stop(by: SIGKILL)
                server = try await RunningServer.start(on: postgres.database, folder: folder)
              case 1:
                try await postgres.database.run(
                  """
                  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
                  """)
              default:
                try await postgres.kill()
                try await postgres.start()
              }
            }
          } catch {
            group.cancelAll()
            isOver.set()
            _ = await server.stop(by: SIGKILL)
            throw error
          }
          isOver.set()
          try await group.waitForAll()
        }
        #expect(await server.stop().exitCode == 0)

        for (user, history) in zip(users, histories) {
          var model = ModelLedger(now: Date())
          model.budgets[user] = 12
          let checker = LinearizabilityChecker(from: model) { model, call in
            wireAnswers(model.answer(call, of: user), to: call)
          }
          let verdict = checker.check(history.calls)
          if case .linearizable = verdict { continue }
          Issue.record("\(verdict)\nMOCKUPD_TEST_SEED=\(seed)")
        }
        let lost = histories.flatMap(\.calls).count { $0.answer == nil }
        print("\(histories.flatMap(\.calls).count) calls, \(lost) of them without a response")
        let wrong = try await postgres.database.withPool { pool in
          try await pool.query("SELECT discrepancy FROM mockupd.verify_counters()") {
            row throws(PostgresError) in
            try row.decode(String.self, at: 0)
          }
        }
        #expect(wrong == [])
      }
    }
  }

  private func call(
    until isOver: Flag, as client: Int, for user: UUID, at socket: String,
    _ history: HistoryRecorder<LedgerCall, [String]>, seed: UInt64
  ) async throws {
    var maker = try LedgerCallMaker(
      for: user, seed: seed, client: UInt64(client), secondsToLive: 86_400...86_400)
    var random = SeededGenerator(seed: seed &+ UInt64(client))
    let configuration = MockupClient.Configuration(retry: .never)
    try await MockupClient.withConnection(
      to: .unixSocket(path: socket), configuration: configuration
    ) { connection in
      let caller = WireCaller(client: connection, user: user)
      while !isOver.isSet {
        let call = try maker.next()
        var entryIDs = maker.entryIDs
        while try await history.record(
          call, by: client, { try await caller.answer(call, &entryIDs) })
          == nil
        {
          // The server or its database is unavailable. Reads until it is available again, because
          // each lost call makes the check more expensive.
          try await eventually("the server answers again") {
            (try? await connection.credits.usage(of: user)) != nil
          }
          // Some calls are retried under their ids; the others may take effect late or never.
          if Int.random(in: 0..<4, using: &random) == 0 { break }
        }
        maker.entryIDs = entryIDs
      }
    }
  }
}

/// Reduces the model's answers to the details that responses contain.
private func wireAnswers(_ answers: [String], to call: LedgerCall) -> [String] {
  answers.enumerated().map { index, answer in
    for (prefix, code) in [
      ("conflict", "alreadyExists"), ("unknown", "notFound"), ("batch failed", "aborted"),
      ("not open", "failedPrecondition"), ("more than", "failedPrecondition"),
      ("insufficient", "failedPrecondition"), ("not a charge", "failedPrecondition"),
    ] where answer.hasPrefix(prefix) {
      return code
    }
    guard case .settle(let settlements, _) = call else { return answer }
    switch settlements[index].action {
    // These responses contain no usage.
    case .dispatch, .extend: return String(answer.prefix { $0 != "," })
    case .commit, .release: return answer
    }
  }
}

/// A client that makes the model's calls to a server and describes the responses as the model does.
private struct WireCaller {
  let client: MockupClient
  let user: UUID

  /// Makes a call and returns a description of each result.
  ///
  /// - Returns: `nil` if the response was lost.
  func answer(_ call: LedgerCall, _ entryIDs: inout [UUID]) async throws -> [String]? {
    do {
      return try await answerOrError(call, &entryIDs)
    } catch let error as RPCError {
      switch error.code {
      case .unavailable, .cancelled, .deadlineExceeded: return nil
      default: return [Self.word(error)]
      }
    }
  }

  private static func word(_ error: RPCError) -> String {
    switch error.code {
    case .alreadyExists: "alreadyExists"
    case .notFound: "notFound"
    case .aborted: "aborted"
    case .failedPrecondition: "failedPrecondition"
    default: "\(error)"
    }
  }

  private func answerOrError(
    _ call: LedgerCall, _ entryIDs: inout [UUID]
  ) async throws -> [String] {
    switch call {
    case .reserve(let requests, let allOrNothing):
      return try await client.credits.batchReserve(
        requests.map { Self.request($0) }, allOrNothing: allOrNothing
      ).map { result in
        switch result {
        case .success(let response): Self.summary(of: response)
        case .failure(let error): Self.word(error)
        }
      }
    case .check(let credits):
      let response = try await client.credits.check(for: user, credits: Int(credits))
      return [response.success ? "admitted" : "refused"]
    case .settle(let settlements, let allOrNothing):
      return try await client.credits.batchSettle(
        settlements.map { Self.action($0) }, allOrNothing: allOrNothing
      ).map { result in
        switch result {
        case .success(let outcome): Self.summary(of: outcome)
        case .failure(let error): Self.word(error)
        }
      }
    case .releaseGroup(let group):
      let response = try await client.credits.releaseGroup(group, of: user)
      return [
        "\(response.replayed ? "replayed " : "")released \(response.released) of "
          + "\(response.reservations), \(response.remaining) available"
      ]
    case .refund(let id, _, let entryID, let credits):
      let response = try await client.credits.refund(
        entryID, of: user, credits: credits.map { Int($0) }, id: id)
      return [
        "\(response.replayed ? "replayed " : "")refunded \(response.refunded), "
          + "\(response.remaining) available"
      ]
    case .setBudget(let budget):
      let usage = try await client.admin.setBudget(of: user, annual: Int(budget)).usage
      return ["\(usage.map { $0.annualBudget - $0.totalUsed - $0.held } ?? .min) available"]
    case .usage:
      let usage = try await client.credits.usage(of: user)
      let available = usage.annualBudget - usage.totalUsed - usage.held
      return ["held \(usage.held), \(available) available"]
    case .reservation(let id):
      return [Self.summary(of: try await client.credits.reservation(id, of: user))]
    case .reservations:
      var lines: [String] = []
      for try await reservation in client.credits.reservations(of: user) {
        lines.append(Self.summary(of: reservation))
      }
      return lines.sorted()
    case .entries:
      var entries: [CreditUsageEntry] = []
      for try await entry in client.credits.ledger(of: user) { entries.append(entry) }
      entries.reverse()
      entryIDs = entries.compactMap { UUID(uuidString: $0.entryID) }
      return entries.map {
        ModelLedger.summary(
          of: UUID(uuidString: $0.reservationID), $0.credits, isRefund: $0.operation == .refund)
      }
    case .advance:
      return []
    }
  }

  private static func request(_ request: ReservationRequest) -> ReserveCreditsRequest {
    ReserveCreditsRequest(
      userID: request.userID.wireText, credits: request.credits,
      reservationID: request.id.wireText,
      operation: request.operation == .generation ? .generation : .regeneration,
      mode: request.mode == .bestEffort ? .bestEffort : .normal,
      timeToLiveSeconds: Int32(request.timeToLive.components.seconds),
      groupID: request.groupID?.wireText ?? "")
  }

  private static func action(_ settlement: Settlement) -> ReservationSettlement.Action {
    let (user, id) = (settlement.userID.wireText, settlement.reservationID.wireText)
    switch settlement.action {
    case .dispatch(let time):
      return .dispatch(
        DispatchReservationRequest(
          userID: user, reservationID: id,
          timeToLiveSeconds: Int32(time?.components.seconds ?? 0)))
    case .extend(let time):
      return .extend(
        ExtendReservationRequest(
          userID: user, reservationID: id, timeToLiveSeconds: Int32(time.components.seconds)))
    case .release:
      return .release(ReleaseReservationRequest(userID: user, reservationID: id))
    case .commit(let commit):
      var request = CommitReservationRequest(
        userID: user, reservationID: id, commitID: commit.id.wireText, final: commit.isFinal,
        allowOverrun: commit.allowsOverrun)
      if let credits = commit.credits { request.credits = credits }
      return .commit(request)
    }
  }

  private static func summary(of response: ReserveCreditsResponse) -> String {
    "\(response.replayed ? "replayed " : "")\(response.success ? "admitted" : "refused"), "
      + "\(response.remaining) remaining"
  }

  private static func summary(of outcome: BatchSettleReservationsResult.Outcome) -> String {
    switch outcome {
    case .dispatch(let response):
      (response.replayed ? "replayed " : "") + state(of: response.reservation)
    case .extend(let response): state(of: response.reservation)
    case .commit(let response):
      (response.replayed ? "replayed " : "") + state(of: response.reservation)
        + ", \(response.remaining) available"
    case .release(let response):
      (response.replayed ? "replayed " : "") + state(of: response.reservation)
        + ", \(response.remaining) available"
    case .error(let error): "\(error)"
    }
  }

  private static func state(of reservation: MockupAPI.Reservation?) -> String {
    guard let reservation else { return "no reservation" }
    return "\(reservation.late ? "late " : "")\(word(reservation.state)) \(reservation.committed)"
      + (reservation.overrun > 0 ? " (\(reservation.overrun) overrun)" : "")
  }

  private static func summary(of reservation: MockupAPI.Reservation) -> String {
    guard let id = UUID(uuidString: reservation.reservationID) else { return "\(reservation)" }
    return ModelLedger.summary(
      id, word(reservation.state), held: reservation.held, committed: reservation.committed)
  }

  private static func word(_ state: MockupAPI.ReservationState) -> String {
    switch state {
    case .held: "held"
    case .dispatched: "dispatched"
    case .unresolved: "unresolved"
    case .committed: "committed"
    case .released: "released"
    case .expired: "expired"
    case .refused: "refused"
    default: "\(state)"
    }
  }
}
