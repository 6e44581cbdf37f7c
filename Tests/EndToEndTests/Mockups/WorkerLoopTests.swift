import Foundation
import MockupClient
import TestSupport
import Testing

/// What the client library promises a worker, with the real server.
@Suite struct WorkerLoopTests {
  private struct Broken: Error {}

  /// A server, a client, and a user with some pending mockups, of two credits each.
  private struct World {
    let database: MigratedDatabase
    let client: MockupClient
    let server: RunningServer
    let user: UUID
    let mockups: [UUID]

    /// Waits until the mockups' statuses are these, in any order.
    func wait(for statuses: [MockupStatus]) async throws -> [Mockup] {
      var found: [Mockup] = []
      try await eventually("the mockups are \(statuses)") {
        found = try await now()
        return found.map(\.status.number).sorted() == statuses.map(\.number).sorted()
      }
      return found
    }

    /// The states of the user's reservations, in alphabetical order.
    func reservations() async throws -> [String] {
      try await database.texts(
        "SELECT upper(state) FROM mockupd.reservations WHERE user_id = '\(user)' ORDER BY 1")
    }

    private func now() async throws -> [Mockup] {
      var all: [Mockup] = []
      for try await mockup in client.mockups.list(of: user) { all.append(mockup) }
      return all
    }
  }

  private static func withWorld(
    pending: Int, _ body: (World) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100)
      let assets = (0..<pending).map { _ in UUID() }
      for asset in assets {
        try await database.owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      }
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          var ids: [UUID] = []
          if pending > 0 {
            let made = try await client.mockups.generate(
              for: user, assets: assets, scenes: ["bedroom"], credits: 2)
            ids = made.results.compactMap { UUID(wireText: $0.mockupID) }
          }
          try await body(
            World(database: database, client: client, server: server, user: user, mockups: ids))
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  /// Runs a worker beside a closure, and stops it.
  private static func working(
    _ world: World, concurrency: Int = 2, lease: Duration = .seconds(60),
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void = { _ in },
    _ work: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion,
    while body: () async throws -> Void
  ) async throws {
    let working = Task {
      try await world.client.mockups.withClaimedMockups(
        worker: "test", concurrency: concurrency, lease: lease, onUnrecorded: onUnrecorded, work)
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    working.cancel()
    try await working.value
    try result.get()
  }

  @Test func whatTheClosureReturnsOrThrowsIsWhatBecomesOfTheMockup() async throws {
    try await Self.withWorld(pending: 4) { world in
      let ids = world.mockups.map(\.wireText)
      try await Self.working(world) { claimed in
        #expect(claimed.credits == 2)
        #expect(claimed.dmTemplateID == "dm_bedroom_001")
        switch claimed.mockup?.mockupID {
        case ids[0]:
          var completion = MockupCompletion(fileURL: "u", fileKey: "k", credits: 1)
          completion.metadataJSON = #"{"a": 1}"#
          completion.qualityScore = 0.5
          return completion
        case ids[1]:
          if claimed.attempt == 1 { throw MockupFailure("busy", mayRetry: true) }
          return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
        case ids[2]: throw MockupFailure("no layer", mayRetry: false)
        default: throw Broken()
        }
      } while: {
        let mockups = try await world.wait(for: [.completed, .completed, .failed, .failed])
        let found = Dictionary(uniqueKeysWithValues: mockups.map { ($0.mockupID, $0) })
        #expect(found[ids[0]]?.creditsUsed == 1)
        #expect(found[ids[0]]?.dmMetadataJSON == #"{"a": 1}"#)
        #expect(found[ids[0]]?.qualityScore == 0.5)
        #expect(found[ids[1]]?.fileURL == "u2")
        #expect(found[ids[1]]?.creditsUsed == 2)
        #expect(found[ids[2]]?.errorMessage == "no layer")
        #expect(found[ids[3]]?.errorMessage == "Broken()")
      }
      #expect(try await world.client.credits.usage(of: world.user).totalUsed == 3)
      // The vendor may have charged for what ended with an error of its own kind.
      #expect(try await world.client.credits.usage(of: world.user).held == 2)
      #expect(
        try await world.reservations() == ["COMMITTED", "COMMITTED", "RELEASED", "UNRESOLVED"])
    }
  }

  /// What a server refuses: a completion, and a part of the reason.
  private static let refusals: [(name: String, completion: MockupCompletion, reason: String)] = {
    func completion(_ change: (inout MockupCompletion) -> Void) -> MockupCompletion {
      var completion = MockupCompletion(fileURL: "https://files/1", fileKey: "k")
      change(&completion)
      return completion
    }
    return [
      ("more credits than are held", completion { $0.credits = 3 }, "fewer credits"),
      (
        "more credits than are available",
        completion {
          $0.credits = 1000; $0.allowsOverrun = true
        }, "available"
      ),
      ("credits that no field holds", completion { $0.credits = 1 << 40 }, "out of range"),
      ("metadata that is no object", completion { $0.metadataJSON = "[1]" }, "dm_metadata_json"),
      (
        "metadata that is too long",
        completion { $0.metadataJSON = "{\"a\": \"\(String(repeating: "x", count: 70_000))\"}" },
        "dm_metadata_json"
      ),
      (
        "a request that fits into no frame",
        completion { $0.metadataJSON = String(repeating: "x", count: 5_000_000) }, "limit"
      ),
      (
        "a number with more digits than are kept",
        completion { $0.metadataJSON = #"{"a": 1e131000, "b": 1e131000, "c": 1e131000}"# },
        "dm_metadata_json"
      ),
      (
        "a URL that is too long",
        completion { $0.fileURL = String(repeating: "u", count: 5000) }, "file_url"
      ),
      ("no key", completion { $0.fileKey = "" }, "file_key"),
      ("a score above 1", completion { $0.qualityScore = 2 }, "quality_score"),
    ]
  }()

  @Test(arguments: refusals.map(\.name))
  func `a completion that the server refuses leaves its credits to an administrator`(
    name: String
  ) async throws {
    let (_, completion, reason) = try #require(Self.refusals.first { $0.name == name })
    try await Self.withWorld(pending: 1) { world in
      let (unrecorded, report) = AsyncStream.makeStream(of: UnrecordedCompletion.self)
      try await Self.working(world, onUnrecorded: { report.yield($0) }) { claimed in
        #expect(claimed.attempt == 1, "the vendor is called once")
        return completion
      } while: {
        let failed = try #require(try await world.wait(for: [.failed]).first)
        #expect(failed.errorMessage.hasPrefix("the completion was refused: "))
        #expect(failed.errorMessage.contains(reason), "\(failed.errorMessage)")
        #expect(failed.errorMessage.contains("charged: "))
        #expect(failed.creditsUsed == 0)
      }
      report.finish()
      var reports: [UnrecordedCompletion] = []
      for await next in unrecorded { reports.append(next) }
      #expect(reports.map(\.completion) == [completion])
      #expect(reports.map(\.isFailed) == [true])
      #expect(reports.first?.error.message.contains(reason) == true)

      #expect(try await world.client.credits.usage(of: world.user).held == 2)
      #expect(try await world.reservations() == ["UNRESOLVED"])
      let mockup = try await world.client.mockups.mockup(world.mockups[0], of: world.user)
      let resolved = try await world.client.admin.resolve(
        try #require(UUID(wireText: mockup.reservationID)), of: world.user, credits: 3,
        allowOverrun: true)
      #expect(resolved.usage?.totalUsed == 3)
      #expect(resolved.usage?.held == 0)
    }
  }

  @Test func `a completion of a lost lease is reported and changes nothing`() async throws {
    try await Self.withWorld(pending: 1) { world in
      let (unrecorded, report) = AsyncStream.makeStream(of: UnrecordedCompletion.self)
      try await Self.working(
        world, concurrency: 1, onUnrecorded: { report.yield($0) }
      ) { [database = world.database] claimed in
        if claimed.attempt == 1 {
          try await database.owner.run("SELECT mockupd.expire_leases(now() + interval '1 h', 1)")
        }
        return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
      } while: {
        let completed = try await world.wait(for: [.completed])
        #expect(completed.first?.fileURL == "u2")
      }
      report.finish()
      var reports: [UnrecordedCompletion] = []
      for await next in unrecorded { reports.append(next) }
      #expect(reports.map(\.completion.fileURL) == ["u1"])
      #expect(reports.map(\.isFailed) == [false])
      #expect(try await world.client.credits.usage(of: world.user).totalUsed == 2)
    }
  }

  @Test func `an error whose text the database cannot hold is recorded`() async throws {
    struct Odd: Error, CustomStringConvertible { let description = "a\0b" }
    try await Self.withWorld(pending: 1) { world in
      try await Self.working(world) { _ in
        throw Odd()
      } while: {
        let failed = try await world.wait(for: [.failed])
        #expect(failed.map(\.errorMessage) == ["ab"])
      }
    }
  }

  @Test func aWorkerThatIsStoppedGivesBackWhatItHas() async throws {
    try await Self.withWorld(pending: 2) { world in
      try await Self.working(world) { _ in
        try await Task.sleep(for: testTimeout)
        return MockupCompletion(fileURL: "u", fileKey: "k")
      } while: {
        _ = try await world.wait(for: [.generating, .generating])
      }
      let pending = try await world.wait(for: [.pending, .pending])
      #expect(pending.map(\.attempt) == [1, 1])
      // The vendor may have been called.
      #expect(try await world.reservations() == ["DISPATCHED", "DISPATCHED"])
    }
  }

  @Test func aClosureThatTakesLongerThanItsLeaseKeepsIt() async throws {
    try await Self.withWorld(pending: 1) { world in
      let renewed = "SELECT extract(epoch FROM lease_expires_at)::bigint FROM mockupd.mockup_jobs"
      try await Self.working(world, lease: .seconds(30)) { [database = world.database] _ in
        let first = try await database.numbers(renewed).first ?? 0
        // Until a lease that was not renewed would have been over.
        try await eventually("the lease is renewed twice") {
          try await database.numbers(renewed).first ?? 0 > first + 30
        }
        return MockupCompletion(fileURL: "u", fileKey: "k")
      } while: {
        let completed = try await world.wait(for: [.completed])
        #expect(completed.map(\.attempt) == [1])
      }
    }
  }

  @Test func aLeaseThatIsLostCancelsTheClosure() async throws {
    try await Self.withWorld(pending: 1) { world in
      let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
      try await Self.working(world, concurrency: 1, lease: .seconds(30)) { claimed in
        if claimed.attempt == 1 {
          do {
            try await Task.sleep(for: testTimeout)
          } catch {
            cancel.finish()
            throw error
          }
        }
        return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
      } while: {
        _ = try await world.wait(for: [.generating])
        try await world.database.owner.run(
          "SELECT mockupd.expire_leases(now() + interval '1 h', 1)")
        for await _ in cancelled {}
        let completed = try await world.wait(for: [.completed])
        #expect(completed.first?.fileURL == "u2")
      }
    }
  }

  @Test func aWorkerThatMayNotClaimIsToldSo() async throws {
    try await Self.withWorld(pending: 0) { world in
      await #expect {
        try await world.client.mockups.withClaimedMockups(worker: "") { _ in
          MockupCompletion(fileURL: "u", fileKey: "k")
        }
      } throws: { error in
        (error as? RPCError)?.code == .invalidArgument
      }
    }
  }
}

extension MockupStatus {
  fileprivate var number: Int32 { rawValue }
}
