import Foundation
import TestSupport
import Testing

/// Notifications to a service manager such as systemd.
@Suite struct ServiceManagerTests {
  @Test func `a service manager is notified of the start, each reload and the stop in order`()
    async throws
  {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let manager = try DatagramListener("\(folder)/notify")
        let server = try await RunningServer.start(
          on: database.service, settings: ["NOTIFY_SOCKET": "\(folder)/notify"], folder: folder)
        #expect(try await manager.receive() == "STATUS=waiting for the database")
        #expect(
          try await manager.receive() == "READY=1\nSTATUS=answering calls on \(server.socket)")
        for _ in 0..<2 {
          server.process.signal(SIGHUP)
          #expect(try await manager.receive().hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
          #expect(try await manager.receive() == "READY=1")
        }
        #expect(await server.stop().exitCode == 0)
        #expect(
          try await manager.receive() == "STOPPING=1\nSTATUS=finishing calls in flight")
      }
    }
  }

  @Test func `a service manager gets watchdog notifications`() async throws {
    try await MigratedDatabase.with { database in
      let manager = "@mockupd/\(UUID().uuidString)"
      let listener = try DatagramListener(manager)
      try await database.withServer(
        settings: ["NOTIFY_SOCKET": manager, "WATCHDOG_USEC": "20000"]
      ) { _ in
        var notifications = 0
        while notifications < 10 {
          if try await listener.receive() == "WATCHDOG=1" { notifications += 1 }
        }
      }
    }
  }

  @Test func `a server serves although the service manager is unreachable`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(settings: ["NOTIFY_SOCKET": "/nowhere/notify"]) { server in
        #expect(throws: Never.self) { try RawPeer(path: server.socket) }
        _ = try await server.process.waitForErrors {
          $0.contains("cannot notify the service manager")
        }
      }
    }
  }

  @Test func `SIGHUP before the server is ready does not end it`() async throws {
    try await withTemporaryFolder { folder in
      let manager = try DatagramListener("\(folder)/notify")
      let server = try Program.mockupd.start(
        ["serve", "--socket", "\(folder)/socket"],
        environment: [
          "MOCKUPD_DATABASE_URL": "postgresql:///none?host=\(folder)",
          "MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1", "NOTIFY_SOCKET": "\(folder)/notify",
        ],
        folder: folder)
      #expect(try await manager.receive() == "STATUS=waiting for the database")
      server.signal(SIGHUP)
      #expect(
        try await manager.receive() == "READY=1\nSTATUS=answering calls on \(folder)/socket")
      server.signal(SIGTERM)
      #expect(await server.ending().exitCode == 0)
    }
  }
}
