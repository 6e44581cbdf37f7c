internal import TTRPC

/// An export in chunks, whose closure may take any time for each.
///
/// ttrpc has no way to ask the server to slow down. If the server sends faster than the closure
/// processes the chunks, the stream ends after those that the client has received, and the export
/// continues with another stream.
struct ChunkedExport<Chunk: Sendable> {
  /// Returns the token with which the export continues after a chunk.
  let token: (Chunk) -> String
  /// Starts the export after a token, and passes each chunk to a closure.
  let call: (_ token: String, _ receive: (Chunk) async throws -> Void) async throws -> Void

  /// Passes all chunks after a token to a closure.
  ///
  /// - Throws: `RPCError`, or the error of the closure, which ends the export.
  func run(after token: String, _ body: (Chunk) async throws -> Void) async throws {
    var last = token
    var failure: (any Error)?
    while true {
      let start = last
      do {
        return try await call(start) { chunk in
          do {
            try await body(chunk)
          } catch {
            failure = error
            throw error
          }
          last = self.token(chunk)
        }
      } catch {
        if let failure { throw failure }
        // An overloaded server says when to retry.
        guard let status = error as? RPCError, status.code == .resourceExhausted,
          status.retryDelay == nil, last != start
        else { throw error }
      }
    }
  }
}
