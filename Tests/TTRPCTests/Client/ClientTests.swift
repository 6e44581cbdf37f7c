import TestSupport
import Testing

@testable import TTRPC

/// The client, tested against a ``Server``.
@Suite(.timeLimit(.minutes(15))) struct ClientTests {
  /// Calls a method of ``TestService``.
  static func call(
    _ client: Client, _ method: String, seconds: Int64 = 0, options: CallOptions = CallOptions()
  ) async throws(RPCError) -> WireDuration {
    try await client.unary(
      MethodDescriptor(service: "p", name: method), WireDuration(seconds: seconds),
      options: options)
  }

  /// Returns the error that a call ends with.
  static func error(
    _ body: () async throws(RPCError) -> WireDuration
  ) async throws -> RPCError {
    do {
      _ = try await body()
    } catch {
      return error
    }
    throw RawPeer.Failure(description: "the call succeeded")
  }

  @Test func `a path may have up to 107 bytes`() async throws {
    for length in 100...107 {
      try await withTemporaryFolder { folder in
        let name = String(repeating: "s", count: length - folder.utf8.count - 1)
        try await withServer(at: "\(folder)/\(name)") { path, _ in
          #expect(path.utf8.count == length)
          let client = Client(path: path)
          let answer = try await Self.call(client, "Echo", seconds: 1)
          #expect(answer.seconds == 2, "\(length) bytes")
          await client.close()
        }
      }
    }
  }

  @Test func `an invalid socket path is refused with the reason`() async throws {
    let long = "/tmp/" + String(repeating: "s", count: 103)
    let cases = [
      (long, "the path has 108 bytes; the limit is 107"),
      ("", "a socket needs a path in the file system"),
      ("\0abstract", "a socket needs a path in the file system"),
    ]
    for (path, reason) in cases {
      let client = Client(path: path)
      // The call fails at once, since waiting for the server cannot help.
      let options = CallOptions(timeout: .seconds(600), waitsForReady: true)
      for _ in 1...2 {
        let error = try await Self.error { () throws(RPCError) in
          try await Self.call(client, "Echo", options: options)
        }
        #expect(error.code == .invalidArgument)
        #expect(error.message == "cannot connect to \(path): \(reason)")
      }
      await client.close()
    }
  }

  @Test func `concurrent calls share one connection, and each gets its own answer`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let answers = try await withThrowingTaskGroup(of: (Int64, Int64).self) { group in
        for number in 0..<Int64(1000) {
          group.addTask { (number, try await Self.call(client, "Echo", seconds: number).seconds) }
        }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(answers == Dictionary(uniqueKeysWithValues: (0..<Int64(1000)).map { ($0, $0 + 1) }))
      await client.close()
    }
  }

  @Test func `the handler sees the peer and the metadata of a call`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let answer: WireStatus = try await client.unary(
        MethodDescriptor(service: "p", name: "Who"), WireDuration(),
        options: CallOptions(metadata: ["k": "v"]))
      #expect(answer.code == Int32(ownUserID()))
      #expect(answer.message == "\(ownProcessID()) v")
    }
  }

  @Test func `the details of an error reach the caller`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      let error = try await Self.error { () throws(RPCError) in
        try await Self.call(client, "Refuse")
      }
      #expect(error.code == .failedPrecondition)
      #expect(error.message == "no")
      #expect(error.fieldViolations == [FieldViolation(field: "seconds", description: "wrong")])
      #expect(error.retryDelay == .milliseconds(1500))
    }
  }

  @Test func `a request above the size limit is not sent`() async throws {
    try await withServer { path, _ in
      var configuration = ClientConfiguration()
      configuration.limits.wire = WireLimits(maximumMessageSize: 64)
      let client = Client(path: path, configuration: configuration)
      let options = CallOptions(metadata: ["k": String(repeating: "v", count: 64)])
      let error = try await Self.error { () throws(RPCError) in
        try await Self.call(client, "Echo", options: options)
      }
      #expect(error.code == .resourceExhausted)
      #expect(try await Self.call(client, "Echo").seconds == 1)
    }
  }

  @Test func `a cancelled task cancels the handler`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let client = Client(path: path)
      let task = Task {
        try await Self.error { () throws(RPCError) in
          try await Self.call(client, "Wait", seconds: 60_000)
        }
      }
      try await server.wait(forCalls: 1)
      task.cancel()
      #expect(try await task.value.code == .cancelled)
      try await service.cancelled.wait()
    }
  }

  @Test func `a client reconnects when the server is back`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/socket"
      let client = Client(path: path)
      for round in 0..<2 {
        let error = try await Self.error { () throws(RPCError) in
          try await Self.call(client, "Echo")
        }
        #expect(error.code == .unavailable)
        // In the second round, the client may notice only the loss of its connection.
        #expect(error.message.contains(path) || round > 0)
        try await withServer(at: path) { _, _ in
          // Between two attempts to connect, calls that do not wait fail.
          let answer = try await Self.call(
            client, "Echo", seconds: 1, options: CallOptions(waitsForReady: true))
          #expect(answer.seconds == 2)
        }
      }
    }
  }

  @Test func `a closed client makes no calls`() async throws {
    try await withServer { path, _ in
      let client = Client(path: path)
      #expect(try await Self.call(client, "Echo").seconds == 1)
      await client.close()
      let error = try await Self.error { () throws(RPCError) in
        try await Self.call(client, "Echo")
      }
      #expect(error.code == .unavailable)
    }
  }
}
