import Glibc
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Postgres

extension Connection {
  /// The number of statements that have been sent and not answered.
  var sentCount: Int { session?.pipeline.count ?? 0 }

  /// Breaks the connection as a network failure does, without a message from the server.
  fileprivate func breakSocket() {
    guard let socket = session?.libpq.socket else { return }
    shutdown(socket, Int32(SHUT_RDWR))
  }
}

@Suite struct ReconnectionTests {
  private func terminate(_ pid: Int, on observer: Connection) async throws {
    try await eventually {
      try await observer.column("SELECT pg_terminate_backend($1::int4)", [pid], as: Bool.self)
        == [true]
    }
  }

  private let backend = Statement(name: "backend", sql: "SELECT pg_backend_pid()")

  @Test
  func `a terminated session fails its statement as retriable, and reconnects`() async throws {
    let events = NIOLockedValueBox<[String]>([])
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await database.withConnection({ $0.minimumBackoff = .milliseconds(10) }) { event in
          switch event {
          case .connected: events.withLockedValue { $0.append("connected") }
          case .connectionLost: events.withLockedValue { $0.append("lost") }
          case .connectionFailed: events.withLockedValue { $0.append("failed") }
          case .notice: break
          }
        } _: { connection in
          let pid = try await connection.column(backend, as: Int.self)[0]
          let head = Task { try await connection.execute(.sleep) }
          try await eventually { try await database.running("pg_sleep", on: observer) == 1 }
          let behind = Task { try await connection.execute("SELECT 1") }
          try await eventually { connection.pendingCount == 2 }
          try await terminate(pid, on: observer)
          let error = try await postgresError { try await head.value }
          #expect(error.code == .server(.adminShutdown))
          #expect(error.isRetriable)
          let other = try await postgresError { try await behind.value }
          #expect(other.code == .connectionUnavailable)
          try await eventually { connection.isConnected }
          #expect(try await connection.column(backend, as: Int.self) != [pid])
          #expect(events.withLockedValue { $0 } == ["connected", "lost", "connected"])
        }
      }
    }
  }

  @Test func `a terminated idle session reconnects`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await database.withConnection({ $0.minimumBackoff = .milliseconds(10) }) { connection in
          let pid = try await connection.column(backend, as: Int.self)[0]
          // The observer must be connected before connections are refused.
          try await eventually { observer.isConnected }
          try await database.allowConnections(false)
          try await terminate(pid, on: observer)
          try await eventually { !connection.isConnected }
          let error = try await postgresError { try await connection.execute("SELECT 1") }
          #expect(error.code == .connectionUnavailable)
          try await database.allowConnections(true)
          try await eventually { connection.isConnected }
          #expect(try await connection.column(backend, as: Int.self) != [pid])
        }
      }
    }
  }

  @Test func `a broken connection leaves the outcome of sent statements unknown`() async throws {
    try await TestDatabase.withConnection({
      $0.maximumInFlight = 2
      $0.minimumBackoff = .milliseconds(10)
    }) { connection in
      try await eventually { connection.isConnected }
      var tasks: [Task<Int, any Error>] = []
      for number in 1...3 {
        tasks.append(Task { try await connection.execute(.sleep) })
        try await eventually { connection.pendingCount == number }
      }
      try await eventually { await connection.sentCount == 2 }
      await connection.breakSocket()
      var codes: [PostgresError.Code] = []
      for task in tasks { codes.append(try await postgresError { try await task.value }.code) }
      #expect(codes == [.connectionLost, .connectionLost, .connectionUnavailable])
      try await eventually { connection.isConnected }
      let error = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          await connection.breakSocket()
          try await transaction.execute("SELECT 1")
        }
      }
      #expect(error.code == .connectionUnavailable)
    }
  }

  @Test
  func `a connection that closes during a statement leaves its outcome unknown`() async throws {
    try await TestDatabase.withConnection({ $0.maximumInFlight = 1 }) { connection in
      try await eventually { connection.isConnected }
      let sent = Task { try await connection.execute(.sleep) }
      try await eventually { connection.pendingCount == 1 }
      let queued = Task { try await connection.execute("SELECT 1") }
      try await eventually { connection.pendingCount == 2 }
      try await eventually { await connection.sentCount == 1 }
      await connection.close()
      let error = try await postgresError { try await sent.value }
      #expect(error.code == .connectionLost)
      #expect(!error.isRetriable)
      #expect(try await postgresError { try await queued.value }.code == .closed)
      #expect(try await postgresError { try await connection.execute("SELECT 1") }.code == .closed)
    }
  }

  @Test func `a transaction whose session is terminated fails and is not committed`() async throws {
    let losses = NIOLockedValueBox(0)
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await observer.execute("CREATE TABLE t (n int8)")
        try await database.withConnection(onEvent: { event in
          if case .connectionLost = event { losses.withLockedValue { $0 += 1 } }
        }) { connection in
          let error = try await postgresError {
            try await connection.withTransaction { transaction throws(PostgresError) in
              try await transaction.execute("INSERT INTO t VALUES (1)")
              let pid = try await transaction.column(backend, as: Int.self)[0]
              _ = try? await terminate(pid, on: observer)
              _ = try? await eventually { losses.withLockedValue { $0 } > 0 }
              try await transaction.execute("INSERT INTO t VALUES (2)")
            }
          }
          #expect(error.code == .connectionUnavailable)
          #expect(error.isRetriable)
          try await eventually { connection.isConnected }
          #expect(try await connection.column("SELECT count(*) FROM t") == [0])
          #expect(connection.pendingCount == 0)
        }
      }
    }
  }

  @Test func `closing waits for pending statements and transactions`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { connection in
        try await database.withGate { wait, open in
          let transaction = Task {
            try await connection.withTransaction { transaction throws(PostgresError) in
              try await transaction.execute(wait)
              return try await transaction.column("SELECT 5", as: Int.self)
            }
          }
          try await eventually { connection.pendingCount == 1 }
          let queued = Task { try await connection.column("SELECT 6", as: Int.self) }
          try await eventually { connection.pendingCount == 2 }
          async let closed: Void = connection.close(waitingUpTo: testTimeout)
          try await open()
          await closed
          #expect(try await transaction.value == [5])
          #expect(try await queued.value == [6])
        }
      }
    }
  }

  @Test
  func `an unreachable database fails the first statements when the attempt fails`() async throws {
    let failures = NIOLockedValueBox<[Duration]>([])
    var configuration = PostgresConfiguration(
      url: "postgresql://someone:sesame@/db?host=/nonexistent/directory",
      applicationName: "test"
    )
    configuration.minimumBackoff = .milliseconds(20)
    configuration.maximumBackoff = .milliseconds(50)
    configuration.randomFraction = { 1 }
    let connection = try Connection(configuration: configuration) { event in
      if case .connectionFailed(_, let pause) = event {
        failures.withLockedValue { $0.append(pause) }
      }
    }
    connection.start()
    let error = try await postgresError { try await connection.execute("SELECT 1") }
    #expect(error.code == .connectionUnavailable)
    #expect(error.isRetriable)
    #expect(!error.debugDescription.contains("sesame"))
    #expect(error.debugDescription.contains("/nonexistent/directory"))
    #expect(!error.description.contains("/nonexistent"))
    try await eventually { failures.withLockedValue { $0.count } >= 4 }
    let pauses = failures.withLockedValue { Array($0.prefix(4)) }
    #expect(pauses == [.milliseconds(20), .milliseconds(40), .milliseconds(50), .milliseconds(50)])
    await connection.close()
  }

  @Test(.timeLimit(.minutes(15)))
  func `a connection attempt without an answer ends at its timeout`() async throws {
    try await withTemporaryFolder { folder in
      // The kernel accepts the connection, and nothing answers.
      let listener = try RawListener(path: "\(folder)/.s.PGSQL.5432")
      var configuration = PostgresConfiguration(
        url: "postgresql:///db?host=\(folder)",
        applicationName: "test"
      )
      configuration.connectTimeout = .milliseconds(200)
      let connection = try Connection(configuration: configuration)
      connection.start()
      let error = try await postgresError { try await connection.execute("SELECT 1") }
      #expect(error.code == .connectionUnavailable)
      await connection.close()
      listener.stop()
    }
  }

  @Test func `a connection that is never started does not keep statements forever`() async throws {
    var configuration = PostgresConfiguration(url: "postgresql:///db", applicationName: "test")
    configuration.connectTimeout = .milliseconds(50)
    let connection = try Connection(configuration: configuration)
    let error = try await postgresError { try await connection.execute("SELECT 1") }
    #expect(error.code == .connectionUnavailable)
  }

  @Test func `a connection error does not reveal the password`() async throws {
    var configuration = try TestDatabase.serverConfiguration()
    var string = try ConnectionString(parsing: configuration.url)
    string.set("dbname", "missing")
    string.set("password", "sesame")
    configuration.url = string.values.map { "\($0)='\($1)'" }.joined(separator: " ")
    let connection = try Connection(configuration: configuration)
    connection.start()
    let error = try await postgresError { try await connection.execute("SELECT 1") }
    #expect(error.code == .connectionUnavailable)
    #expect(error.detail?.contains("missing") == true)
    #expect(!error.debugDescription.contains("sesame"))
    await connection.close()
  }
}
