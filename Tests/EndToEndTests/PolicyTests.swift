import Foundation
import ProtobufC
import TestSupport
import Testing

@testable import MockupServices
@testable import TTRPC

/// Access control by the peer's credentials (`SO_PEERCRED`).
@Suite struct PolicyTests {
  /// A peer, its roles, and the calls that they allow.
  private struct Caller {
    var name: String
    var identity: Program.Identity
    var roles: Set<Role> = []
    /// True if the caller may read usage, the ledger and reservations.
    var canRead = false
    /// True if the caller may reserve, commit and release.
    var canSpend = false
  }

  private static let callers = [
    Caller(
      name: "admin", identity: .init(userID: 20_001, groupID: 1), roles: [.admin], canRead: true,
      canSpend: true),
    Caller(
      name: "service", identity: .init(userID: 20_002, groupID: 30_002), roles: [.service],
      canRead: true, canSpend: true),
    Caller(name: "worker", identity: .init(userID: 20_003, groupID: 1), roles: [.worker]),
    Caller(name: "scheduler", identity: .init(userID: 20_004, groupID: 1), roles: [.scheduler]),
    Caller(
      name: "reader", identity: .init(userID: 20_005, groupID: 1, otherGroupIDs: [7, 30_005]),
      roles: [.reader],
      canRead: true),
    // More groups than fit in the server's first `SO_PEERGROUPS` request.
    Caller(
      name: "a reader in many groups",
      identity: .init(userID: 20_006, groupID: 1, otherGroupIDs: Array(30_005...30_305)),
      roles: [.reader],
      canRead: true),
    Caller(
      name: "a worker and reader",
      identity: .init(userID: 20_003, groupID: 1, otherGroupIDs: [30_005]),
      roles: [.worker, .reader], canRead: true),
    Caller(
      name: "monitor", identity: .init(userID: 20_008, groupID: 1), roles: [.monitor]),
    Caller(
      name: "a caller without roles",
      identity: .init(userID: 20_007, groupID: 1, otherGroupIDs: [20_001])),
    // With a configured policy, root has no access of its own.
    Caller(name: "root", identity: .init(userID: 0, groupID: 0)),
  ]

  private static let settings = [
    "MOCKUPD_POLICY_ADMIN": "uid:20001", "MOCKUPD_POLICY_SERVICE": "gid:30002",
    "MOCKUPD_POLICY_WORKER": "uid:20003", "MOCKUPD_POLICY_SCHEDULER": "uid:20004 uid:29999",
    "MOCKUPD_POLICY_READER": "uid:29998,gid:30005", "MOCKUPD_POLICY_MONITOR": "uid:20008",
  ]

  @Test(.enabled(if: getuid() == 0, "only root can call as another user"))
  func `each role can call its methods and no others`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 1000).uuidString.lowercased()
      try await database.withServer(
        arguments: ["--socket-mode", "0666"], settings: Self.settings
      ) { server in
        for caller in Self.callers {
          let held = UUID().uuidString.lowercased()
          let other = UUID().uuidString.lowercased()
          let calls: [(method: String, arguments: [String], allowed: Bool)] = [
            ("ReserveCredits", ["reserve", user, "1", "--id", held], caller.canSpend),
            ("CommitReservation", ["commit", user, held], caller.canSpend),
            ("ReserveCredits", ["reserve", user, "1", "--id", other], caller.canSpend),
            ("ReleaseReservation", ["release", user, other], caller.canSpend),
            ("GetReservation", ["reservation", user, held], caller.canRead),
            ("GetCreditUsage", ["usage", user], caller.canRead),
            ("ListCreditUsage", ["ledger", user], caller.canRead),
          ]
          for (method, arguments, allowed) in calls {
            let ending = try await Program.mockupctl.run(
              as: caller.identity, arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
            if allowed {
              // A caller that may not reserve has no reservation to get.
              let isMissing = method == "GetReservation" && !caller.canSpend
              #expect(ending.exitCode == (isMissing ? 3 : 0), "\(caller.name) \(method) \(ending)")
            } else {
              #expect(ending.exitCode == 77, "\(caller.name) \(method) \(ending)")
              // A command with an `--id` names it in every error.
              let hint = arguments.last.map { "; repeat with --id \($0)" } ?? ""
              #expect(
                ending.errorLines == [
                  "mockupctl: uid \(caller.identity.userID) may not call "
                    + "mockups.v1.CreditService/\(method)"
                    + (arguments.contains("--id") ? hint : "")
                ])
            }
          }
        }
      }
    }
  }

  /// Every method in the access table, and methods that have no entry in it.
  private static let calls: [(service: String, method: String)] =
    AccessTable.methods.sorted { $0.key < $1.key }.flatMap { service, methods in
      methods.keys.sorted().map { (service, $0) }
    }.filter { $0.0 != "http" } + [
      ("grpc.health.v1.Health", "Check"), ("grpc.health.v1.Health", "Watch"),
      ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo"),
      ("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo"),
      ("mockups.v1.CreditService", "Nope"), ("nope", "Nope"),
    ]

  @Test(.enabled(if: getuid() == 0, "only root can call as another user"))
  func `each entry of the access table applies to each caller`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(
        arguments: ["--socket-mode", "0666"], settings: Self.settings
      ) { server in
        for caller in Self.callers {
          // One connection carries all calls; none of them closes it.
          var requests: [UInt8] = []
          for (index, call) in Self.calls.enumerated() {
            // Flag 1 (remote closed): no more messages follow, whatever the call type.
            requests += RawCall.frame(
              UInt8(2 * index + 1), call.method, of: call.service, flags: 1)
          }
          let answers = try await ForeignPeer.exchange(
            as: caller.identity, at: server.socket, requests, streams: Self.calls.count)
          let denied = try Self.deniedStreams(answers)
          for (index, call) in Self.calls.enumerated() {
            let isAllowed = AccessTable.allows(
              caller.roles, service: call.service, method: call.method)
            #expect(denied.contains(2 * index + 1) != isAllowed, "\(caller.name) \(call)")
          }
        }
      }
    }
  }

  /// Returns the ids of the streams that ended with PERMISSION_DENIED in a sequence of frames.
  private static func deniedStreams(_ frames: [UInt8]) throws -> Set<Int> {
    var rest = frames[...]
    var denied: Set<Int> = []
    while rest.count >= 10 {
      let header = Array(rest.prefix(10))
      let length = header[..<4].reduce(0) { $0 << 8 | Int($1) }
      let frame = Array(rest.prefix(10 + length))
      rest = rest.dropFirst(10 + length)
      if header[8] == 2, try RawCall.error(in: frame)?.code == .permissionDenied {
        denied.insert(header[4..<8].reduce(0) { $0 << 8 | Int($1) })
      }
    }
    return denied
  }

  @Test(.enabled(if: getuid() == 0, "only root can call as another user"))
  func `health probes need no role and metrics need one`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(
        arguments: ["--socket-mode", "0666"], settings: Self.settings
      ) { server in
        for caller in Self.callers {
          let seesMetrics = !caller.roles.isDisjoint(with: [.admin, .reader, .monitor])
          for (path, status) in [
            ("healthz", 200), ("metrics", seesMetrics ? 200 : 403),
            ("nope", caller.roles.contains(.admin) ? 404 : 403),
          ] {
            let request = "GET /\(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let answer = try await ForeignPeer.exchange(
              as: caller.identity, at: server.socket, Array(request.utf8))
            #expect(
              String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "),
              "\(caller.name) \(path)")
          }
        }
      }
    }
  }

  @Test(.enabled(if: getuid() == 0, "only root can call as another user"))
  func `without a policy only root and the user of the server have access`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser().uuidString
      try await database.withServer(
        arguments: ["--socket-mode", "0666"], settings: ["MOCKUPD_LOG_LEVEL": "notice"]
      ) { server in
        for (userID, code) in [(UInt32(0), Int32(0)), (20_001, 77)] {
          let ending = try await Program.mockupctl.run(
            as: .init(userID: userID, groupID: 0), ["usage", user],
            environment: ["MOCKUPD_SOCKET_PATH": server.socket])
          #expect(ending.exitCode == code, "\(ending)")
        }
        let errors = try await server.process.waitForErrors { $0.contains("denied") }
        let denials = errors.split(separator: "\n").filter { $0.contains("denied") }
        #expect(denials.count == 1)
        for text in ["uid 20001", "mockups.v1.CreditService/GetCreditUsage"] {
          #expect(denials.first?.contains(text) == true, "\(denials)")
        }
      }
    }
  }

  @Test func `SIGHUP reloads the policy from the file and an invalid policy has no effect`()
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).uuidString
      try await withTemporaryFolder { folder in
        let file = "\(folder)/settings.json"
        func write(_ policy: String) throws {
          try "{\"policy\": \(policy)}".write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write("{\"reader\": \"uid:\(getuid())\"}")
        try await database.withServer(
          arguments: ["--config", file], settings: ["MOCKUPD_LOG_LEVEL": "notice"]
        ) { server in
          func expectCalls(usage: Int32, reserve: Int32) async throws {
            for (arguments, code) in [
              (["usage", user], usage), (["reserve", user, "1"], reserve),
            ] {
              let ending = try await Program.mockupctl.run(
                arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
              #expect(ending.exitCode == code, "\(arguments) \(ending)")
            }
          }
          func hangUp(until line: String) async throws {
            server.process.signal(SIGHUP)
            try await eventually(line) {
              server.process.errors.contains(line) || server.process.knownEnding != nil
            }
          }
          try await expectCalls(usage: 0, reserve: 77)

          try write("{\"service\": [\"uid:4000000000\", \"uid:\(getuid())\"]}")
          try await hangUp(until: "service: uid \(getuid()), uid 4000000000")
          try await expectCalls(usage: 0, reserve: 0)

          try write("{\"service\": [\"user:no-such-user\"]}")
          try await hangUp(until: "user:no-such-user")
          try await expectCalls(usage: 0, reserve: 0)

          try write("{\"worker\": \"user:root, group:root gid:5\"}")
          try await hangUp(until: "worker: uid 0, gid 0, gid 5")
          try await expectCalls(usage: 77, reserve: 77)
        }
      }
    }
  }
}
