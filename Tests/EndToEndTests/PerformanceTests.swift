import Foundation
import Glibc
import MockupClient
import TestSupport
import Testing

/// Pins and impressions through the client library, also under retries, crashes and cancellation.
@Suite struct PerformanceTests {
  @Test func `a batch that is sent on five connections counts once`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockups = try await database.makeMockups(20, of: user)
      let entries = mockups.map {
        PerformanceEntry(userID: user.wireText, mockupID: $0.wireText, pins: 3, impressions: 7)
      }
      try await database.withServer { server in
        for _ in 0..<10 {
          let batch = UUID()
          let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
            for connection in 0..<5 {
              group.addTask {
                try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) {
                  client in
                  // Three connections send a unary call, two a stream.
                  guard connection < 3 else {
                    let answer = try await client.performance.record([
                      StreamPerformanceRequest(batchID: batch.wireText, entries: entries)
                    ])
                    #expect(answer.batches == 1 && answer.counted == 20)
                    return answer.replayedBatches == 1
                  }
                  let answer = try await client.performance.record(entries, batch: batch)
                  #expect(answer.counted == 20 && answer.refused == [])
                  return answer.replayed
                }
              }
            }
            return try await group.reduce(into: [Bool]()) { $0.append($1) }
          }
          #expect(answers.filter { !$0 }.count == 1)
        }
      }
      #expect(try await database.performance() == Array(repeating: "30 70", count: 20))
    }
  }

  @Test func `a hundred thousand entries add up`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockups = try await database.makeMockups(1000, of: user)
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let (_, summary) = try await client.performance.withRecorder { recorder in
            for number in 0..<100_000 {
              try await recorder.add(
                mockups[number % 1000], of: user, pins: 1, impressions: number / 1000)
            }
          }
          #expect(summary.counted == 100_000 && summary.refused == 0)
        }
      }
      // 0 + 1 + … + 99
      #expect(try await database.performance() == Array(repeating: "100 4950", count: 1000))
    }
  }

  @Test func `a stream that is sent faster than it is counted arrives completely`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockups = try await database.makeMockups(500, of: user)
      let entries = mockups.map {
        PerformanceEntry(userID: user.wireText, mockupID: $0.wireText, pins: 1, impressions: 2)
      }
      let settings = [
        // Queues for a few batches, and more time than a slow machine needs.
        "MOCKUPD_LIMITS_MAX_QUEUED_BYTES_PER_STREAM": "65536",
        "MOCKUPD_LIMITS_MAX_MESSAGE_BYTES": "65536",
        "MOCKUPD_LIMITS_SLOW_READER_TIMEOUT_SECONDS": "3600",
      ]
      try await database.withServer(settings: settings) { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let answer = try await client.performance.record(
            (0..<200).map { _ in
              StreamPerformanceRequest(batchID: UUID().wireText, entries: entries)
            })
          #expect(answer.batches == 200 && answer.counted == 100_000)
        }
      }
      #expect(try await database.performance() == Array(repeating: "200 400", count: 500))
    }
  }

  @Test func `no entry is lost or counted twice when the server is killed`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockups = try await database.makeMockups(1000, of: user)
      try await withTemporaryFolder { folder in
        let first = try await RunningServer.start(on: database.service, folder: folder)
        var configuration = MockupClient.Configuration()
        configuration.timeout = testTimeout
        configuration.retry.attempts = .max
        try await MockupClient.withConnection(
          to: .unixSocket(path: first.socket), configuration: configuration
        ) { client in
          async let killed: RunningServer = {
            var server = first
            for _ in 0..<4 {
              // 20 batches after the last restart. The load has 200 batches.
              let next = min(try await database.batches() + 20, 200)
              try await eventually { try await database.batches() >= next }
              _ = await server.stop(by: SIGKILL)
              server = try await RunningServer.start(on: database.service, folder: folder)
            }
            return server
          }()
          let (_, summary) = try await client.performance.withRecorder { recorder in
            for number in 0..<100_000 {
              try await recorder.add(mockups[number % 1000], of: user, pins: 1, impressions: 2)
            }
          }
          #expect(summary.counted == 100_000 && summary.refused == 0)
          #expect(await (try killed).stop().exitCode == 0)
        }
      }
      #expect(try await database.performance() == Array(repeating: "100 200", count: 1000))
    }
  }

  @Test(arguments: [false, true])
  func `recorded entries are counted although the task is cancelled`(
    throwsError: Bool
  ) async throws {
    struct TestError: Error {}
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockup = try await database.makeMockups(1, of: user)[0]
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          for _ in 1...20 {
            let task = Task {
              try await client.performance.withRecorder { recorder in
                try await recorder.add(mockup, of: user, pins: 1, impressions: 2)
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                if throwsError { throw TestError() }
              }.summary
            }
            if throwsError {
              await #expect(throws: TestError.self) { try await task.value }
            } else {
              let summary = try await task.value
              #expect(summary.counted == 1)
            }
          }
        }
      }
      #expect(try await database.performance() == ["20 40"])
    }
  }

  @Test func `a refused entry is reported`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockup = try await database.makeMockups(1, of: user)[0]
      let unknown = UUID()
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let (_, summary) = try await client.performance.withRecorder { recorder in
            try await recorder.add(mockup, of: user, pins: 1)
            try await recorder.add(unknown, of: user, impressions: 2)
            try await recorder.add(mockup, of: user, pins: Int(Int32.max))
            try await recorder.add(mockup, of: user, pins: 2)
          }
          #expect(summary.counted == 2 && summary.refused == 2)
          #expect(summary.refusals.map(\.entry.mockupID) == [unknown, mockup].map(\.wireText))
          #expect(summary.refusals.map(\.entry.pins) == [0, Int32.max])
          await #expect(throws: RPCError.self) {
            try await client.performance.withRecorder { recorder in
              try await recorder.add(mockup, of: user, pins: -1)
            }
          }

          let batch = UUID()
          let entry = PerformanceEntry(userID: user.wireText, mockupID: mockup.wireText)
          let refused = try await client.performance.record(
            [entry, PerformanceEntry(userID: "?", mockupID: mockup.wireText, pins: 1)],
            batch: batch)
          #expect(refused.counted == 1)
          #expect(
            refused.refused == [RefusedEntry(index: 1, reason: "the user has no such mockup")])
        }
      }
    }
  }

  @Test func `an invalid batch is refused and the batches before it count`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let mockup = try await database.makeMockups(1, of: user)[0]
      let entry = PerformanceEntry(userID: user.wireText, mockupID: mockup.wireText, pins: 1)
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let first = UUID()
          _ = try await client.performance.record([entry], batch: first)
          let invalid: [(StreamPerformanceRequest, StatusCode)] = [
            (StreamPerformanceRequest(batchID: "", entries: [entry]), .invalidArgument),
            (
              StreamPerformanceRequest(
                batchID: UUID().wireText, entries: Array(repeating: entry, count: 1001)),
              .invalidArgument
            ),
            (
              StreamPerformanceRequest(batchID: first.wireText, entries: [entry, entry]),
              .alreadyExists
            ),
          ]
          for (batch, code) in invalid {
            let valid = StreamPerformanceRequest(batchID: UUID().wireText, entries: [entry])
            let before = try await database.batches()
            let error = await #expect(throws: RPCError.self) {
              try await client.performance.record([valid, batch])
            }
            #expect(error?.code == code)
            // The valid batch may still be in flight. A retry ensures that it is counted.
            _ = try await client.performance.record([valid])
            #expect(try await database.batches() == before + 1)
          }
        }
      }
      #expect(try await database.performance() == ["4 0"])
    }
  }
}

extension MigratedDatabase {
  /// Creates an asset of a user and pending mockups for it.
  func makeMockups(_ count: Int, of user: UUID) async throws -> [UUID] {
    let ids = try await texts(
      """
      WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id),
      made AS (
        INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key)
        SELECT '\(user)', asset.id, 'bedroom', '', '' FROM asset, generate_series(1, \(count))
        RETURNING id)
      SELECT id::text FROM made
      """)
    return ids.compactMap { UUID(wireText: $0) }
  }

  /// Returns the number of batches that were counted.
  fileprivate func batches() async throws -> Int64 {
    try await numbers("SELECT count(*) FROM mockupd.performance_batches").first ?? 0
  }

  /// Returns the pins and impressions of each mockup.
  fileprivate func performance() async throws -> [String] {
    try await texts("SELECT total_pins || ' ' || total_impressions FROM mockups")
  }
}
