internal import ArgumentParser
internal import MockupClient

struct ClaimMockups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "claim",
    abstract: "Claim the oldest pending mockups of all users for a worker.",
    discussion: """
      Prints the claimed mockups; if none is pending, prints "none" or an empty JSON array, and \
      exits with 0. A mockup whose lease expires can be claimed again: renew the lease with \
      "mockups heartbeat", and end the attempt with "mockups complete" or "mockups fail".

      The other formats have more fields than the table: the URL of the vendor's template, and \
      the configuration of the scene at the time of the request.

      A claim has no idempotency key. If the response is lost, the mockups stay leased until their \
      leases expire, and the same command claims other mockups.
      """)

  @Option(help: "The name of the worker, 1 to 200 characters, which is kept with the job.")
  var worker: String

  @Option(
    parsing: .unconditional, help: "The maximum number of mockups, up to 100. (default: 1)",
    transform: Int.atLeast(1))
  var count = 1

  @Option(
    parsing: .unconditional, help: "Seconds until the leases expire, up to 3600. (default: 60)",
    transform: Int.atLeast(1))
  var lease = 60

  @Option(
    parsing: .unconditional,
    help: """
      Seconds to wait for a mockup if none is pending, up to 60, in addition to --timeout. \
      (default: 0)
      """,
    transform: Int.atLeast(0))
  var wait = 0

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let claimed = try await client.mockups.claim(
        worker: worker, count: count, lease: .seconds(lease),
        wait: wait == 0 ? nil : .seconds(wait))
      let isTable = connection.output == .table
      try await connection.output.write(
        claimed.map { isTable ? Record(listed: $0) : Record($0) },
        columns: Record(ClaimedMockup()))
    }
  }
}
