internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Reserve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reserve credits, or check whether they are available.",
    discussion: """
      The id of the reservation is printed to standard error before the call, unless --id gives \
      it. If the response is lost, repeat the command with that --id: it does not reserve twice.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The number of credits, at least 1.", transform: Int.atLeast(1))
  var credits: Int

  @Option(help: "The reservation's id, which is its idempotency key. (default: a new id)")
  var id: UUID?

  @Option(help: "The operation that the credits are for: generation or regeneration.")
  var operation = OperationArgument.generation

  @Option(
    parsing: .unconditional,
    help: "Seconds until the reservation expires, up to 86400. (default: 900)",
    transform: Int.atLeast(1))
  var timeToLive: Int = 900

  @Option(help: "A mockup of the user that the credits are for.")
  var mockup: UUID?

  @Option(help: "A group whose reservations can be released together.")
  var group: UUID?

  @Flag(help: "Reserve fewer credits if fewer are available.")
  var bestEffort = false

  @Flag(help: "Reserve nothing; only report what the result would be.")
  var check = false

  @OptionGroup var connection: Connection

  func validate() throws {
    guard !check || (!bestEffort && id == nil) else {
      throw ValidationError("--check cannot be combined with --best-effort or --id")
    }
  }

  func run() async throws {
    if check {
      return try await connection.run { client in
        var response = try await client.credits.check(
          for: user, credits: credits, operation: operation.value,
          timeToLive: .seconds(timeToLive), mockup: mockup, group: group)
        // The server's message is that of a reservation.
        if response.success { response.message = "Credits available; nothing was reserved." }
        try await write(response)
      }
    }
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      try await write(
        client.credits.reserve(
          for: user, credits: credits, id: key.id, operation: operation.value,
          timeToLive: .seconds(timeToLive), mockup: mockup, group: group,
          mode: bestEffort ? .bestEffort : .normal))
    }
  }

  private func write(_ response: ReserveCreditsResponse) async throws {
    try await connection.output.write(
      Record([
        "success": .flag(response.success),
        "message": .text(response.message),
        "granted": .number(response.granted),
        "remaining": .number(response.remaining),
        "reservation_id": .optionalText(response.reservation?.reservationID ?? ""),
        "state": .optionalText(response.reservation?.state.name ?? ""),
        "expires_at": .time(response.reservation?.expiresAt),
        "soft_limit_passed": .flag(response.usage?.softLimitPassed ?? false),
        "replayed": .flag(response.replayed),
      ]))
    if !response.success { throw ExitCode(1) }
  }
}

/// An operation that credits can be reserved for.
enum OperationArgument: String, ExpressibleByArgument, CaseIterable {
  case generation
  case regeneration

  var value: Operation {
    switch self {
    case .generation: .generation
    case .regeneration: .regeneration
    }
  }
}
