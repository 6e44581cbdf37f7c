import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Postgres

/// Database URLs that name several hosts.
@Suite struct HostTests {
  @Test(arguments: [
    ("host=a,b port=1,2", ["a:1", "b:2"]),
    ("host=a,b", ["a:", "b:"]),
    ("host=a,b port=7", ["a:7", "b:7"]),
    ("host=/tmp/a,b.example port=1,", ["/tmp/a:1", "b.example:"]),
    ("hostaddr=127.0.0.1,::1 port=1,2", ["127.0.0.1:1", "::1:2"]),
    ("postgresql://a:1,b:2/db", ["a:1", "b:2"]),
    ("host=a", ["a:"]),
    ("dbname=db", [":"]),
    // libpq reports these mistakes.
    ("host=a,b port=1,2,3", ["a,b:1,2,3"]),
    ("host=a,b hostaddr=127.0.0.1", ["a,b:"]),
  ])
  func `each host has its own name, address and port`(url: String, hosts: [String]) throws {
    let found = try ConnectionString(parsing: url).hosts.map { host in
      "\(host.values["host"] ?? host.values["hostaddr"] ?? ""):\(host.values["port"] ?? "")"
    }
    #expect(found == hosts)
  }

  @Test func `hosts are tried in order, beginning with the one that worked last`() {
    let preference = HostPreference()
    #expect(preference.order(of: 3) == [0, 1, 2])
    preference.worked(1)
    #expect(preference.order(of: 3) == [1, 2, 0])
    // Another URL with fewer hosts.
    #expect(preference.order(of: 1) == [0])
  }

  /// Returns a configuration whose URL names a host that does not work before the test server.
  private func configuration(
    after host: String, port: Int, of database: TestDatabase
  ) throws -> PostgresConfiguration {
    var string = try ConnectionString(parsing: database.configuration.url)
    let real = string.values["host"] ?? "/var/run/postgresql"
    string.set("port", "\(port),\(string.values["port"] ?? "5432")")
    string.set("host", "\(host),\(real)")
    var configuration = database.configuration
    configuration.url = string.values.map { "\($0)='\($1)'" }.joined(separator: " ")
    // The test server gets as long as the host that does not answer; if that is too short on a
    // slow machine, another attempt follows.
    configuration.connectTimeout = .seconds(1)
    configuration.minimumBackoff = .milliseconds(10)
    return configuration
  }

  /// Expects that connections get to the second host, and that later ones begin with it.
  private func expectSecondHost(_ configuration: PostgresConfiguration) async throws {
    for expected in [[1], [1, 0]] {
      let connection = try Connection(configuration: configuration)
      connection.start()
      try await eventually("a connection to the second host") { connection.isConnected }
      #expect(await connection.remainingHosts == expected)
      #expect(try await connection.column("SELECT 1::int8") == [1])
      await connection.close()
    }
  }

  @Test func `a host that accepts and never answers is given up for the next one`() async throws {
    try await TestDatabase.with { database in
      try await withTemporaryFolder { folder in
        let listener = try RawListener(path: "\(folder)/.s.PGSQL.5432")
        try await expectSecondHost(configuration(after: folder, port: 5432, of: database))
        listener.stop()
      }
    }
  }

  @Test func `a host that drops packets is given up for the next one`() async throws {
    try await TestDatabase.with { database in
      let blackHole = try BlackHole()
      try await expectSecondHost(
        configuration(after: "127.0.0.1", port: blackHole.port, of: database))
      blackHole.close()
    }
  }

  @Test func `the failure of all hosts names each of them`() async throws {
    let configuration = PostgresConfiguration(
      url: "host=/nowhere/1,/nowhere/2 password=sesame", applicationName: "test")
    let connection = try Connection(configuration: configuration)
    connection.start()
    let error = try await postgresError { try await connection.execute("SELECT 1") }
    #expect(error.code == .connectionUnavailable)
    #expect(error.detail?.contains("/nowhere/1: ") == true)
    #expect(error.detail?.contains("/nowhere/2: ") == true)
    await connection.close()
  }

  @Test func `a vanished host is detected by TCP, with the timing of the URL or ours`() throws {
    var configuration = PostgresConfiguration(
      url: "postgresql://a/db?keepalives_count=9", applicationName: "test")
    configuration.tcpUserTimeout = .seconds(7)
    let values = try configuration.connectionString().values
    #expect(values["tcp_user_timeout"] == "7000")
    #expect(values["keepalives_idle"] == "4")
    #expect(values["keepalives_interval"] == "2")
    #expect(values["keepalives_count"] == "9")
  }
}

/// Sessions that cannot write.
@Suite struct ReadOnlySessionTests {
  private static func setReadOnly(_ database: TestDatabase, _ isReadOnly: Bool) async throws {
    let connection = try Connection(configuration: try TestDatabase.serverConfiguration())
    connection.start()
    try await connection.execute(
      Statement(
        """
        ALTER DATABASE \(database.name) SET default_transaction_read_only = \(isReadOnly)
        """))
    await connection.close()
  }

  @Test func `a session that cannot write is not used`() async throws {
    try await TestDatabase.with { database in
      try await Self.setReadOnly(database, true)
      try await database.withConnection({
        $0.targetSession = .readWrite
        $0.minimumBackoff = .milliseconds(10)
      }) { connection in
        let error = try await postgresError { try await connection.execute("SELECT 1") }
        #expect(error.code == .connectionUnavailable)
        #expect(error.sqlState == .readOnlyTransaction)
        #expect(!error.isStandby)
        try await Self.setReadOnly(database, false)
        try await eventually { connection.isConnected }
        try await connection.execute("CREATE TABLE t (n int8)")
      }
    }
  }

  @Test func `a session that can no longer write is closed, and another one opened`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection({
        $0.targetSession = .readWrite
        $0.minimumBackoff = .milliseconds(10)
      }) { connection in
        try await connection.execute("CREATE TABLE t (n int8)")
        let pid = try await connection.column("SELECT pg_backend_pid()", as: Int32.self)
        try await connection.execute("SET default_transaction_read_only = on")
        let error = try await postgresError {
          try await connection.execute("INSERT INTO t VALUES (1)")
        }
        #expect(error.code == .server(.readOnlyTransaction))
        try await eventually("an insert succeeds in another session") {
          (try? await connection.execute("INSERT INTO t VALUES (2)")) == 1
        }
        #expect(try await connection.column("SELECT n FROM t") == [2])
        #expect(try await connection.column("SELECT pg_backend_pid()", as: Int32.self) != pid)
      }
    }
  }

  @Test func `the sessions have the configured synchronous_commit`() async throws {
    try await TestDatabase.withConnection({ $0.synchronousCommit = "remote_apply" }) { connection in
      let value = try await connection.column("SHOW synchronous_commit", as: String.self)
      #expect(value == ["remote_apply"])
    }
  }

  @Test func `the age of the oldest write counts only statements that may write`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { connection in
        try await connection.execute("SELECT 1")
        try await eventually { connection.oldestWriteAge == nil }
        try await database.withGate { wait, open in
          let read = Task { try await connection.execute(wait) }
          try await eventually { await connection.sentCount == 1 }
          #expect(connection.oldestWriteAge == nil)
          let write = Task { try await connection.execute("SELECT pg_advisory_lock_shared(1)") }
          try await eventually { (connection.oldestWriteAge ?? .zero) > .milliseconds(1) }
          try await open()
          _ = try await (read.value, write.value)
        }
        try await eventually { connection.oldestWriteAge == nil }
      }
    }
  }
}

/// A TCP port of this host that answers no connection, as if a firewall dropped the packets: its
/// queue of connections is full.
private struct BlackHole {
  let port: Int
  private let sockets: [Int32]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        let isBound = unsafe bind(listener, rebound, length) == 0 && listen(listener, 0) == 0
        return unsafe isBound && getsockname(listener, rebound, &length) == 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    var sockets = [listener]
    for _ in 0..<4 {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
          _ = unsafe connect(client, rebound, length)
        }
      }
      sockets.append(client)
    }
    self.sockets = sockets
    if !sockets.allSatisfy({ $0 >= 0 }) { result = false }
    try #require(result, "no full queue of connections")
  }

  func close() { for socket in sockets { Glibc.close(socket) } }
}
