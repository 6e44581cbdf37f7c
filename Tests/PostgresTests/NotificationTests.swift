import Glibc
import TestSupport
import Testing

@testable import Postgres

/// What a listener has heard.
private final class Heard: Sendable {
  private let events = Locked<[NotificationListener.Event]>([])

  func note(_ event: NotificationListener.Event) { events.withLock { $0.append(event) } }

  var payloads: [String] {
    events.withLock { events in
      events.compactMap { if case .notification(let sent) = $0 { sent.payload } else { nil } }
    }
  }

  var channels: [String] {
    events.withLock { events in
      events.compactMap { if case .notification(let sent) = $0 { sent.channel } else { nil } }
    }
  }

  /// How often it began to listen.
  var beginnings: Int {
    events.withLock { events in events.count { $0 == .listening } }
  }
}

@Suite("What others notify")
struct NotificationTests {
  /// Runs a closure beside a listener, and ends the listener.
  private func withListener(
    on channels: [String], to database: TestDatabase,
    _ body: (Heard) async throws -> Void
  ) async throws {
    let heard = Heard()
    var configuration = database.configuration
    configuration.applicationName = "listener"
    configuration.minimumBackoff = .milliseconds(10)
    let listener = try NotificationListener(
      configuration: configuration, channels: channels, onEvent: heard.note)
    let running = Task { await listener.run() }
    let result: Result<Void, any Error>
    do {
      try await eventually { heard.beginnings == 1 }
      result = .success(try await body(heard))
    } catch {
      result = .failure(error)
    }
    listener.shutdown()
    await running.value
    try result.get()
  }

  private let sessions: Statement =
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'listener' AND datname = current_database()"

  @Test("A listener hears each channel that it named, in order, and no other")
  func hears() async throws {
    let odd = #"A "channel" of its own"#
    try await TestDatabase.with { database in
      try await withListener(on: ["plain", odd], to: database) { heard in
        try await database.withConnection { sender in
          try await sender.execute("SELECT pg_notify('other', 'unheard')")
          for number in 1...100 {
            try await sender.execute("SELECT pg_notify('plain', $1)", ["\(number)"])
          }
          try await sender.execute("SELECT pg_notify($1, '')", [odd])
          try await eventually { heard.payloads.count == 101 }
          #expect(heard.payloads.prefix(100) == (1...100).map(String.init)[...])
          #expect(heard.channels.last == odd)
        }
      }
    }
  }

  @Test("What one transaction sends twice is heard once, and what it takes back never")
  func transactions() async throws {
    try await TestDatabase.with { database in
      try await withListener(on: ["plain"], to: database) { heard in
        try await database.withConnection { sender in
          _ = try? await sender.withTransaction { transaction throws(PostgresError) in
            try await transaction.execute("SELECT pg_notify('plain', 'taken back')")
            try await transaction.execute("SELECT 1 / 0")
          }
          try await sender.withTransaction { transaction throws(PostgresError) in
            for _ in 1...3 { try await transaction.execute("SELECT pg_notify('plain', 'same')") }
          }
          try await sender.execute("NOTIFY plain, 'last'")
          try await eventually { heard.payloads.last == "last" }
          #expect(heard.payloads == ["same", "last"])
        }
      }
    }
  }

  @Test("A listener whose session is terminated listens again, and says so")
  func terminated() async throws {
    try await TestDatabase.with { database in
      try await withListener(on: ["plain"], to: database) { heard in
        try await database.withConnection { other in
          for round in 1...3 {
            let before: [Int32] = try await other.column(sessions)
            #expect(before.count == 1)
            try await other.execute("SELECT pg_terminate_backend($1)", [before[0]])
            try await eventually { heard.beginnings == round + 1 }
            try await other.execute("SELECT pg_notify('plain', $1)", ["\(round)"])
            try await eventually { heard.payloads.last == "\(round)" }
            let after: [Int32] = try await other.column(sessions)
            #expect(after.count == 1 && after != before)
          }
          #expect(heard.payloads == ["1", "2", "3"])
        }
      }
    }
  }

  @Test("A listener outlives a database that is away when it starts")
  func outOfReach() async throws {
    let failures = Locked(0)
    var configuration = try TestDatabase.serverConfiguration()
    configuration.url = "host=/nonexistent/directory"
    configuration.minimumBackoff = .milliseconds(10)
    let listener = try NotificationListener(configuration: configuration, channels: ["plain"]) {
      if case .connectionFailed = $0 { failures.withLock { $0 += 1 } }
    } onEvent: { _ in
      Issue.record("there is nothing to hear")
    }
    let running = Task { await listener.run() }
    try await eventually { failures.withLock { $0 } >= 3 }
    running.cancel()
    await running.value
  }

  @Test("Ended or cancelled, a listener leaves no session, no thread and no descriptor behind")
  func leavesNothing() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        // Whatever the first of all leaves is not this one's.
        try await withListener(on: ["plain"], to: database) { _ in }
        try await eventually { try await observer.column(sessions, as: Int32.self).isEmpty }
        for round in 1...20 {
          let heard = Heard()
          weak var connection: Connection?
          do {
            var configuration = database.configuration
            configuration.applicationName = "listener"
            let listener = try NotificationListener(
              configuration: configuration, channels: ["plain"], onEvent: heard.note)
            connection = listener.connection
            let running = Task { await listener.run() }
            // Some are ended before they listen.
            if round > 5 { try await eventually { heard.beginnings == 1 } }
            if round.isMultiple(of: 2) { running.cancel() } else { listener.shutdown() }
            await running.value
          }
          // Its connection's thread and descriptors end with it.
          try await eventually { connection == nil }
        }
        try await eventually { try await observer.column(sessions, as: Int32.self).isEmpty }
      }
    }
  }
}
