import Foundation
import MockupClient
import TestSupport
import Testing

/// The client library's worker loop against a real server.
@Suite struct WorkerLoopTests {
  private struct Broken: Error {}

  /// A server, a client, and a user with some pending mockups of two credits each.
  private struct Fixture {
    let database: MigratedDatabase
    let client: MockupClient
    let server: RunningServer
    let user: UUID
    let mockups: [UUID]

    /// Waits until the mockups have the given statuses, in any order.
    func wait(for statuses: [MockupStatus]) async throws -> [Mockup] {
      var found: [Mockup] = []
      try await eventually("the mockups are \(statuses)") {
        found = try await mockupsNow()
        return found.map(\.status.number).sorted() == statuses.map(\.number).sorted()
      }
      return found
    }

    /// The states of the user's reservations, in alphabetical order.
    func reservations() async throws -> [String] {
      try await database.texts(
        "SELECT upper(state) FROM mockupd.reservations WHERE user_id = '\(user)' ORDER BY 1")
    }

    private func mockupsNow() async throws -> [Mockup] {
      var all: [Mockup] = []
      for try await mockup in client.mockups.list(of: user) { all.append(mockup) }
      return all
    }
  }

  private static func withFixture(
    pending: Int, settings: [String: String] = [:], _ body: (Fixture) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 100)
      let assets = (0..<pending).map { _ in UUID() }
      for asset in assets {
        try await database.owner.run(
          "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      }
      try await database.withServer(settings: settings) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          var ids: [UUID] = []
          if pending > 0 {
            let made = try await client.mockups.generate(
              for: user, assets: assets, scenes: ["bedroom"], credits: 2)
            ids = made.results.compactMap { UUID(wireText: $0.mockupID) }
          }
          try await body(
            Fixture(database: database, client: client, server: server, user: user, mockups: ids))
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }

  /// Runs a worker while a closure runs, and then stops the worker.
  private static func working(
    _ fixture: Fixture, concurrency: Int = 2, lease: Duration = .seconds(60),
    onUnrecorded: @escaping @Sendable (UnrecordedCompletion) async -> Void = { _ in },
    _ work: @escaping @Sendable (ClaimedMockup) async throws -> MockupCompletion,
    while body: () async throws -> Void
  ) async throws {
    let working = Task {
      try await fixture.client.mockups.withClaimedMockups(
        worker: "test", concurrency: concurrency, lease: lease, onUnrecorded: onUnrecorded, work)
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    working.cancel()
    try await working.value
    try result.get()
  }

  @Test func `the result or error of the closure decides the status of the mockup`() async throws {
    try await Self.withFixture(pending: 4) { fixture in
      let ids = fixture.mockups.map(\.wireText)
      try await Self.working(fixture) { claimed in
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
        let mockups = try await fixture.wait(for: [.completed, .completed, .failed, .failed])
        let found = Dictionary(uniqueKeysWithValues: mockups.map { ($0.mockupID, $0) })
        #expect(found[ids[0]]?.creditsUsed == 1)
        #expect(found[ids[0]]?.dmMetadataJSON == #"{"a": 1}"#)
        #expect(found[ids[0]]?.qualityScore == 0.5)
        #expect(found[ids[1]]?.fileURL == "u2")
        #expect(found[ids[1]]?.creditsUsed == 2)
        #expect(found[ids[2]]?.errorMessage == "no layer")
        #expect(found[ids[3]]?.errorMessage == "Broken()")
      }
      #expect(try await fixture.client.credits.usage(of: fixture.user).totalUsed == 3)
      // The closure threw another error, so the vendor may have charged.
      #expect(try await fixture.client.credits.usage(of: fixture.user).held == 2)
      #expect(
        try await fixture.reservations() == ["COMMITTED", "COMMITTED", "RELEASED", "UNRESOLVED"])
    }
  }

  /// Completions that the server refuses, each with a part of the reason.
  private static let refusals: [(name: String, completion: MockupCompletion, reason: String)] = {
    func completion(_ change: (inout MockupCompletion) -> Void) -> MockupCompletion {
      var completion = MockupCompletion(fileURL: "https://files/1", fileKey: "k")
      change(&completion)
      return completion
    }
    return [
      ("more credits than are held", completion { $0.credits = 3 }, "exceed those"),
      (
        "more credits than are available",
        completion {
          $0.credits = 1000; $0.allowsOverrun = true
        }, "available"
      ),
      ("more credits than the field can hold", completion { $0.credits = 1 << 40 }, "out of range"),
      (
        "metadata that is not an object", completion { $0.metadataJSON = "[1]" }, "dm_metadata_json"
      ),
      (
        "metadata that is too long",
        completion { $0.metadataJSON = "{\"a\": \"\(String(repeating: "x", count: 70_000))\"}" },
        "dm_metadata_json"
      ),
      (
        "a request that exceeds the frame size",
        completion { $0.metadataJSON = String(repeating: "x", count: 5_000_000) }, "limit"
      ),
      (
        "numbers with too many digits to store",
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
  func `a refused completion leaves its credits for an administrator to resolve`(
    name: String
  ) async throws {
    let (_, completion, reason) = try #require(Self.refusals.first { $0.name == name })
    try await Self.withFixture(pending: 1) { fixture in
      let (unrecorded, report) = AsyncStream.makeStream(of: UnrecordedCompletion.self)
      try await Self.working(fixture, onUnrecorded: { report.yield($0) }) { claimed in
        #expect(claimed.attempt == 1, "the closure ran a second time")
        return completion
      } while: {
        let failed = try #require(try await fixture.wait(for: [.failed]).first)
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

      #expect(try await fixture.client.credits.usage(of: fixture.user).held == 2)
      #expect(try await fixture.reservations() == ["UNRESOLVED"])
      let mockup = try await fixture.client.mockups.mockup(fixture.mockups[0], of: fixture.user)
      let resolved = try await fixture.client.admin.resolve(
        try #require(UUID(wireText: mockup.reservationID)), of: fixture.user, credits: 3,
        allowOverrun: true)
      #expect(resolved.usage?.totalUsed == 3)
      #expect(resolved.usage?.held == 0)
    }
  }

  @Test func `a completion after a lost lease is reported and changes nothing`() async throws {
    try await Self.withFixture(pending: 1) { fixture in
      let (unrecorded, report) = AsyncStream.makeStream(of: UnrecordedCompletion.self)
      try await Self.working(
        fixture, concurrency: 1, onUnrecorded: { report.yield($0) }
      ) { [database = fixture.database] claimed in
        if claimed.attempt == 1 {
          try await database.owner.run("SELECT mockupd.expire_leases(now() + interval '1 h', 1)")
        }
        return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
      } while: {
        let completed = try await fixture.wait(for: [.completed])
        #expect(completed.first?.fileURL == "u2")
      }
      report.finish()
      var reports: [UnrecordedCompletion] = []
      for await next in unrecorded { reports.append(next) }
      #expect(reports.map(\.completion.fileURL) == ["u1"])
      #expect(reports.map(\.isFailed) == [false])
      #expect(try await fixture.client.credits.usage(of: fixture.user).totalUsed == 2)
    }
  }

  @Test func `an error message with a null character is recorded without it`() async throws {
    struct NullCharacterError: Error, CustomStringConvertible { let description = "a\0b" }
    try await Self.withFixture(pending: 1) { fixture in
      try await Self.working(fixture) { _ in
        throw NullCharacterError()
      } while: {
        let failed = try await fixture.wait(for: [.failed])
        #expect(failed.map(\.errorMessage) == ["ab"])
      }
    }
  }

  @Test func `a stopped worker returns its mockups to pending`() async throws {
    try await Self.withFixture(pending: 2) { fixture in
      try await Self.working(fixture) { _ in
        try await Task.sleep(for: testTimeout)
        return MockupCompletion(fileURL: "u", fileKey: "k")
      } while: {
        _ = try await fixture.wait(for: [.generating, .generating])
      }
      let pending = try await fixture.wait(for: [.pending, .pending])
      #expect(pending.map(\.attempt) == [1, 1])
      // The vendor may have been called.
      #expect(try await fixture.reservations() == ["DISPATCHED", "DISPATCHED"])
    }
  }

  @Test func `a lease is renewed while the closure runs`() async throws {
    try await Self.withFixture(pending: 1) { fixture in
      let renewed = "SELECT extract(epoch FROM lease_expires_at)::bigint FROM mockupd.mockup_jobs"
      try await Self.working(fixture, lease: .seconds(30)) { [database = fixture.database] _ in
        let first = try await database.numbers(renewed).first ?? 0
        // Long enough for an unrenewed lease to expire.
        try await eventually("the lease is renewed twice") {
          try await database.numbers(renewed).first ?? 0 > first + 30
        }
        return MockupCompletion(fileURL: "u", fileKey: "k")
      } while: {
        let completed = try await fixture.wait(for: [.completed])
        #expect(completed.map(\.attempt) == [1])
      }
    }
  }

  @Test func `a lost lease cancels the closure`() async throws {
    try await Self.withFixture(pending: 1) { fixture in
      let cancelled = Flag()
      try await Self.working(fixture, concurrency: 1, lease: .seconds(30)) { claimed in
        if claimed.attempt == 1 {
          do {
            try await Task.sleep(for: testTimeout)
          } catch {
            cancelled.set()
            throw error
          }
        }
        return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
      } while: {
        _ = try await fixture.wait(for: [.generating])
        try await fixture.database.owner.run(
          "SELECT mockupd.expire_leases(now() + interval '1 h', 1)")
        try await cancelled.wait()
        let completed = try await fixture.wait(for: [.completed])
        #expect(completed.first?.fileURL == "u2")
      }
    }
  }

  @Test func `a mockup whose lease expired during an outage gets another attempt`() async throws {
    // The sweeper would take the lease back, but the worker's report may be faster.
    let settings = ["MOCKUPD_SWEEPER_INTERVAL_SECONDS": "0"]
    try await Self.withFixture(pending: 1, settings: settings) { fixture in
      let (started, cancelled) = (Flag(), Flag())
      try await Self.working(fixture, concurrency: 1, lease: .seconds(5)) { claimed in
        guard claimed.attempt == 1 else {
          return MockupCompletion(fileURL: "u\(claimed.attempt)", fileKey: "k")
        }
        started.set()
        do {
          try await Task.sleep(for: testTimeout)
        } catch {
          cancelled.set()
        }
        throw CancellationError()
      } while: {
        // The mockup is being generated before the worker knows of its lease.
        try await started.wait()
        fixture.server.process.signal(SIGSTOP)
        do {
          defer { fixture.server.process.signal(SIGCONT) }
          try await cancelled.wait()
        }
        let completed = try await fixture.wait(for: [.completed])
        #expect(completed.first?.fileURL == "u2")
      }
    }
  }

  @Test func `an error of the claim ends the worker loop`() async throws {
    try await Self.withFixture(pending: 0) { fixture in
      await #expect {
        try await fixture.client.mockups.withClaimedMockups(worker: "") { _ in
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
