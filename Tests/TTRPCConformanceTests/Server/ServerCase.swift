import TTRPC
import TestSupport
import Testing

/// A test case of the conformance suite.
struct ServerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let needs: Capabilities
  let limits: ServerLimits
  let run: @Sendable (Target) async throws -> Void

  /// - Parameter limits: The server's limits, if they matter. They need this library's server.
  init(
    _ name: String, needs: Capabilities = [], limits: ServerLimits? = nil,
    _ run: @escaping @Sendable (Target) async throws -> Void
  ) {
    self.name = name
    self.needs = limits == nil ? needs : needs.union(.inProcess)
    var patient = ServerLimits()
    // No busy machine reaches these.
    patient.frameTimeout = testTimeout
    patient.writeTimeout = testTimeout
    self.limits = limits ?? patient
    self.run = run
  }

  var testDescription: String { name }

  /// Creates a case with one connection, which ends with a check of how the streams ended.
  static func dialog(
    _ name: String, needs: Capabilities = [], limits: ServerLimits? = nil,
    _ body: @escaping @Sendable (Conversation) async throws -> Void
  ) -> ServerCase {
    ServerCase(name, needs: needs, limits: limits) { target in
      let conversation = try target.connect()
      try await body(conversation)
      try await conversation.finish()
    }
  }

  /// Returns a random key, since a server in another process may know the keys of earlier cases.
  static func newKey() -> Int64 { .random(in: 1 ... .max) }
}
