import Glibc
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Postgres

/// Records the events of a listener.
private final class EventRecorder: Sendable {
  private let events = NIOLockedValueBox<[NotificationListener.Event]>([])

  func record(_ event: NotificationListener.Event) { events.withLockedValue { $0.append(event) } }

  var payloads: [String] {
    events.withLockedValue { events in
      events.compactMap { if case .notification(let sent) = $0 { sent.payload } else { nil } }
    }
  }

  var channels: [String] {
    events.withLockedValue { events in
      events.compactMap { if case .notification(let sent) = $0 { sent.channel } else { nil } }
    }
  }

  /// The number of times that the listener started to listen.
  var listenCount: Int {
    events.withLockedValue { events in events.count { $0 == .listening } }
  }
}

@Suite struct NotificationTests {
  /// Runs a listener while a closure runs, and then ends the listener.
  private func withListener(
    on channels: [String], to database: TestDatabase,
    _ body: (EventRecorder) async throws -> Void
  ) async throws {
    let recorder = EventRecorder()
    var configuration = database.configuration
    configuration.applicationName = "listener"
    configuration.minimumBackoff = .milliseconds(10)
    let listener = try NotificationListener(
      configuration: configuration, channels: channels, onEvent: recorder.record)
    let running = Task { await listener.run() }
    let result: Result<Void, any Error>
    do {
      try await eventually { recorder.listenCount == 1 }
      result = .success(try await body(recorder))
    } catch {
      result = .failure(error)
    }
    listener.shutdown()
    await running.value
    try result.get()
  }

  private let sessions: Statement = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'listener' AND datname = current_database()
    """

  @Test func `a listener receives the notifications of its channels, in order`() async throws {
    let odd = #"A "channel" of its own"#
    try await TestDatabase.with { database in
      try await withListener(on: ["plain", odd], to: database) { recorder in
        try await database.withConnection { sender in
          try await sender.execute("SELECT pg_notify('other', 'not received')")
          for number in 1...100 {
            try await sender.execute("SELECT pg_notify('plain', $1)", ["\(number)"])
          }
          try await sender.execute("SELECT pg_notify($1, '')", [odd])
          try await eventually { recorder.payloads.count == 101 }
          #expect(recorder.payloads.prefix(100) == (1...100).map(String.init)[...])
          #expect(recorder.channels.last == odd)
        }
      }
    }
  }

  @Test
  func `a transaction sends equal notifications once, and none after a rollback`() async throws {
    try await TestDatabase.with { database in
      try await withListener(on: ["plain"], to: database) { recorder in
        try await database.withConnection { sender in
          _ = try? await sender.withTransaction { transaction throws(PostgresError) in
            try await transaction.execute("SELECT pg_notify('plain', 'rolled back')")
            try await transaction.execute("SELECT 1 / 0")
          }
          try await sender.withTransaction { transaction throws(PostgresError) in
            for _ in 1...3 { try await transaction.execute("SELECT pg_notify('plain', 'same')") }
          }
          try await sender.execute("NOTIFY plain, 'last'")
          try await eventually { recorder.payloads.last == "last" }
          #expect(recorder.payloads == ["same", "last"])
        }
      }
    }
  }

  @Test func `a listener whose session is terminated listens again`() async throws {
    try await TestDatabase.with { database in
      try await withListener(on: ["plain"], to: database) { recorder in
        try await database.withConnection { other in
          for round in 1...3 {
            let before: [Int32] = try await other.column(sessions)
            #expect(before.count == 1)
            try await other.execute("SELECT pg_terminate_backend($1)", [before[0]])
            try await eventually { recorder.listenCount == round + 1 }
            try await other.execute("SELECT pg_notify('plain', $1)", ["\(round)"])
            try await eventually { recorder.payloads.last == "\(round)" }
            let after: [Int32] = try await other.column(sessions)
            #expect(after.count == 1 && after != before)
          }
          #expect(recorder.payloads == ["1", "2", "3"])
        }
      }
    }
  }

  @Test func `a listener tries again if the database is unreachable at first`() async throws {
    let failures = NIOLockedValueBox(0)
    var configuration = try TestDatabase.serverConfiguration()
    configuration.url = "host=/nonexistent/directory"
    configuration.minimumBackoff = .milliseconds(10)
    let listener = try NotificationListener(configuration: configuration, channels: ["plain"]) {
      if case .connectionFailed = $0 { failures.withLockedValue { $0 += 1 } }
    } onEvent: { _ in
      Issue.record("a listener without a connection received an event")
    }
    let running = Task { await listener.run() }
    try await eventually { failures.withLockedValue { $0 } >= 3 }
    running.cancel()
    await running.value
  }

  @Test func `a listener that ends leaves no session, thread or descriptor`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in

        for round in 1...20 {
          let recorder = EventRecorder()
          weak var connection: Connection?
          do {
            var configuration = database.configuration
            configuration.applicationName = "listener"
            let listener = try NotificationListener(
              configuration: configuration, channels: ["plain"], onEvent: recorder.record)
            connection = listener.connection
            let running = Task { await listener.run() }
            // Some listeners are ended before they listen.
            if round > 5 { try await eventually { recorder.listenCount == 1 } }
            if round.isMultiple(of: 2) { running.cancel() } else { listener.shutdown() }
            await running.value
          }
          // The connection closes its thread and its descriptors before it is deallocated.
          try await eventually { connection == nil }
        }
        try await eventually { try await observer.column(sessions, as: Int32.self).isEmpty }
      }
    }
  }
}
