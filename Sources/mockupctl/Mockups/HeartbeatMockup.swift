internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct HeartbeatMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heartbeat",
    abstract: "Renew the lease of a claimed mockup.",
    discussion: """
      Exits with 1 if the lease is lost: the mockup was completed, failed, claimed again, or made \
      pending again after its lease expired. The worker must then stop working on it.
      """)

  @OptionGroup var attempt: AttemptReference

  @Option(
    parsing: .unconditional,
    help: "Seconds from now until the lease expires, up to 3600. (default: 60)",
    transform: Int.atLeast(1))
  var lease = 60

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let expiresAt = try await client.mockups.heartbeat(attempt.claimed, lease: .seconds(lease))
      try await connection.output.write(
        Record([
          "mockup_id": .text(attempt.reference.mockup.wireText),
          "attempt": .number(attempt.attempt),
          "lease_expires_at": .time(Timestamp(expiresAt)),
        ]))
    }
  }
}
