import TTRPC
import Testing

/// One thing that a server owes its peers.
struct ServerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let needs: Capabilities
  let limits: ServerLimits
  let run: @Sendable (Target) async throws -> Void

  /// - Parameter limits: The server's, where they are not the usual ones; then it has to be ours.
  init(
    _ name: String, needs: Capabilities = [], limits: ServerLimits? = nil,
    _ run: @escaping @Sendable (Target) async throws -> Void
  ) {
    self.name = name
    self.needs = limits == nil ? needs : needs.union(.inProcess)
    self.limits = limits ?? ServerLimits()
    self.run = run
  }

  var testDescription: String { name }

  /// A case with one connection, whose books are looked at in the end.
  static func talk(
    _ name: String, needs: Capabilities = [], limits: ServerLimits? = nil,
    _ body: @escaping @Sendable (Conversation) async throws -> Void
  ) -> ServerCase {
    ServerCase(name, needs: needs, limits: limits) { target in
      let conversation = try target.connect()
      try await body(conversation)
      try await conversation.finish()
    }
  }

  /// A number of a case's own: a server in another process may have met others.
  static func newKey() -> Int64 { .random(in: 1 ... .max) }
}
