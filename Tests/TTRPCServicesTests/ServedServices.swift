import Logging
import TTRPC
import TestSupport

/// Runs a closure with a server of the given services and a client of that server.
func withServer(
  of services: [any Service], _ body: (Client, Server) async throws -> Void
) async throws {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  var limits = ServerLimits()
  // No busy machine reaches these.
  limits.drainTimeout = testTimeout
  limits.frameTimeout = testTimeout
  limits.writeTimeout = testTimeout
  let server = Server(services: services, limits: limits, logger: logger)
  try await withTemporaryFolder { folder in
    let ready = Flag()
    async let running: Void = server.run(on: UnixListener(path: "\(folder)/socket")) { ready.set() }
    try await ready.wait()
    let client = Client(path: "\(folder)/socket")
    do {
      try await body(client, server)
    } catch {
      await client.close()
      server.drain()
      throw error
    }
    await client.close()
    server.drain()
    try await running
  }
}
