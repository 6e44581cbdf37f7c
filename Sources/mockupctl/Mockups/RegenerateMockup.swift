internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct RegenerateMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "regenerate",
    abstract: "Request a mockup again; its picture is cleared.",
    discussion: """
      Exits with 1 if too few credits are available. The id of the request is printed to standard \
      error before the call, unless --id gives it. If the response is lost, repeat the command \
      with that --id: it does not request the mockup twice.
      """)

  @OptionGroup var reference: MockupReference

  @Option(help: "The idempotency key of the request. (default: a new id)")
  var id: UUID?

  @Flag(help: "Approve the mockup as soon as it is completed.")
  var skipApproval = false

  @Option(
    parsing: .unconditional, help: "The number of credits to reserve, up to 1000. (default: 1)",
    transform: Int.atLeast(1))
  var credits = 1

  @OptionGroup var connection: Connection

  func run() async throws {
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      let response = try await client.mockups.regenerate(
        reference.mockup, of: reference.user, id: key.id, skipApproval: skipApproval,
        credits: credits)
      try await connection.output.write(
        Record([
          "success": .flag(response.success),
          "message": .text(response.message),
          "remaining": .number(response.remaining),
          "mockup_id": .text(reference.mockup.wireText),
          "status": .optionalText(response.mockup?.status.name ?? ""),
          "reservation_id": .optionalText(response.mockup?.reservationID ?? ""),
          "soft_limit_passed": .flag(response.usage?.softLimitPassed ?? false),
          "replayed": .flag(response.replayed),
        ]))
      if !response.success { throw ExitCode(1) }
    }
  }
}
