import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// The limit of open files, and the queue of connections that wait to be accepted.
@Suite struct DescriptorTests {
  private static let probe = Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

  /// Starts the server after `ulimit` commands that set its limits of open files.
  private static func start(
    _ ulimits: String, on database: MigratedDatabase, settings: [String: String] = [:],
    folder: String
  ) async throws -> RunningServer {
    let socket = "\(folder)/socket"
    let process = try RunningProgram(
      URL(filePath: "/bin/sh"),
      ["-c", "\(ulimits); exec \"$@\"", "sh", Program.mockupd.executable.path, "serve"],
      environment: settings.merging([
        "MOCKUPD_DATABASE_URL": database.service.url, "MOCKUPD_SOCKET_PATH": socket,
      ]) { $1 },
      folder: URL(filePath: folder))
    try await eventually("mockupd is ready") {
      if let ending = process.knownEnding { throw Program.Failure(description: "\(ending)") }
      return process.output == "ready \(socket)\n"
    }
    return RunningServer(socket: socket, process: process)
  }

  private static func limits(of process: RunningProgram) throws -> [String] {
    let limits = try String(contentsOfFile: "/proc/\(process.processID)/limits", encoding: .utf8)
    let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
    return line.split(separator: " ").dropFirst(3).prefix(2).map(String.init)
  }

  @Test(.timeLimit(.minutes(15)))
  func `the soft limit of open files is raised to the hard limit`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let server = try await Self.start(
          "ulimit -Sn 100; ulimit -Hn 800", on: database, folder: folder)
        #expect(try Self.limits(of: server.process) == ["800", "800"])
        try await server.process.waitForErrors("raised the limit of open files")
        // 4096 connections would need more descriptors.
        try await server.process.waitForErrors("limits.maxConnections is 4096")
        try await server.process.waitForErrors("LimitNOFILE")
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `connections are limited by the available descriptors`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let server = try await Self.start(
          "ulimit -n 100", on: database,
          settings: ["MOCKUPD_LIMITS_RESERVED_CONNECTIONS": "0"], folder: folder)
        // Twice as many as fit. The server closes refused connections and answers the others.
        var answered = 0
        var peers: [RawPeer] = []
        let check = RawCall.frame(1, "Check", of: "grpc.health.v1.Health")
        for _ in 0..<200 {
          let peer = try RawPeer(path: server.socket)
          try? await peer.send(check)
          if try await peer.receiveFrame() != nil { answered += 1 }
          peers.append(peer)
        }
        #expect((10..<100).contains(answered), "\(answered)")
        try await server.process.waitForErrors("refused a connection")
        // One user gets at most three quarters of the connections that fit.
        let lines = server.process.errors.split(separator: "\n")
        let line = try #require(lines.first { $0.contains("connections are accepted") })
        let fitting = try #require(
          line.firstMatch(of: /at most (\d+) connections/).flatMap { Int($0.1) })
        #expect(answered == fitting - fitting / 4)
        #expect(!server.process.errors.contains("cannot accept connections"))
        peers = []
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `a server without free descriptors waits for some and logs that once`() async throws {
    try await MigratedDatabase.with { database in
      for _ in 0..<20 {
        let isDone = try await withTemporaryFolder { folder in
          try await Self.waitsForDescriptors(on: database, folder: folder)
        }
        if isDone { return }
      }
      Issue.record("libdispatch has ended each server")
    }
  }

  /// Takes all descriptors from a server, and returns them after a second.
  ///
  /// - Returns: False if libdispatch has ended the server. It reads a file in /proc each second to
  ///   count its running threads, and ends the process with SIGILL if it cannot open the file
  ///   (`_dispatch_workq_monitor_pools`).
  private static func waitsForDescriptors(
    on database: MigratedDatabase, folder: String
  ) async throws -> Bool {
    let server = try await RunningServer.start(on: database.service, folder: folder)
    let process = server.process
    let began = ContinuousClock.now
    // Fewer than the process has open, so that it can open no more.
    try await Self.setLimit(of: process, to: 3, folder: folder)
    // The connections wait in the socket's queue.
    let peers = try (0..<10).map { _ in try RawPeer(path: server.socket) }
    for peer in peers { try await peer.send(Self.probe) }
    try await eventually { process.errors.contains("cannot accept connections") }
    // Enough time for many attempts if there were no pause between them.
    try await Task.sleep(for: .seconds(1))
    if let ending = process.knownEnding, ending.exitCode == nil { return false }
    try await Self.setLimit(of: process, to: 1024, folder: folder)
    for peer in peers {
      #expect(try await peer.receive(1000).starts(with: "HTTP/1.1 200".utf8))
    }
    let peer = try RawPeer(path: server.socket)
    try await peer.send(Array("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
    let text = String(decoding: try await peer.receive(1_000_000), as: UTF8.self)
    let elapsed = ContinuousClock.now - began
    let line = try #require(
      text.split(separator: "\n").first { $0.hasPrefix("ttrpc_server_accept_errors_total ") })
    let attempts = try #require(Double(line.split(separator: " ").last ?? ""))
    // The pause between two attempts is 0.1 s, however slow the machine is.
    #expect(attempts >= 1 && attempts <= elapsed / .milliseconds(100) + 1, "\(attempts)")
    let messages = process.errors.components(separatedBy: "cannot accept connections").count - 1
    #expect(messages == 1)
    #expect(await server.stop().exitCode == 0)
    return true
  }

  @Test(.timeLimit(.minutes(15)))
  func `the queue of a socket has the configured length`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(settings: ["MOCKUPD_SOCKET_BACKLOG": "5"]) { server in
        try await Self.expectQueue(of: 5, server)
      }
    }
  }

  @Test(.timeLimit(.minutes(15)))
  func `the queue of an inherited socket keeps its length`() async throws {
    try await MigratedDatabase.with { database in
      try await withTemporaryFolder { folder in
        let socket = "\(folder)/socket"
        let listener = try RawListener(path: socket, backlog: 9)
        let server = try await RunningServer.start(
          on: database.service, socket: socket, inheriting: listener, folder: folder)
        try await Self.expectQueue(of: 9, server)
        #expect(await server.stop().exitCode == 0)
      }
    }
  }

  /// Counts the connections that fit in the socket's queue while the server is suspended.
  ///
  /// Expects the server to answer them all when it resumes.
  private static func expectQueue(of length: Int, _ server: RunningServer) async throws {
    // When this is answered, the server has accepted all earlier connections.
    let first = try RawPeer(path: server.socket)
    try await first.send(probe)
    #expect(try await first.receive(1000).starts(with: "HTTP/1.1 200".utf8))
    server.process.signal(SIGSTOP)
    try await eventually("all threads of the server have stopped") {
      let tasks = "/proc/\(server.process.processID)/task"
      return try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
        try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
          .contains("State:\tT")
      }
    }
    var peers: [RawPeer] = []
    while peers.count < 300, let peer = RawPeer.connectWithoutWaiting(path: server.socket) {
      peers.append(peer)
    }
    // Linux accepts one connection more than the backlog.
    #expect(peers.count == length + 1)
    server.process.signal(SIGCONT)
    for peer in peers {
      try await peer.send(probe)
      #expect(try await peer.receive(1000).starts(with: "HTTP/1.1 200".utf8))
    }
  }

  /// Changes the soft limit of open files of a running process.
  private static func setLimit(of process: RunningProgram, to count: Int, folder: String)
    async throws
  {
    let ending = try await RunningProgram(
      URL(filePath: "/usr/bin/prlimit"), ["--pid", "\(process.processID)", "--nofile=\(count):"],
      environment: [:], folder: URL(filePath: folder)
    ).ending()
    try #require(ending.exitCode == 0, "\(ending)")
  }
}
