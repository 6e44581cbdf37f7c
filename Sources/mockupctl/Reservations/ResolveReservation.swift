internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ResolveReservation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Settle an unresolved reservation with the credits that the vendor charged.",
    discussion: """
      A dispatched reservation that was not settled is unresolved once it has expired: only the \
      vendor's invoice says whether it was charged. Requires the role admin.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional, help: "The number of credits that the vendor charged; 0 releases all.",
    transform: Int.atLeast(0))
  var credits: Int

  @Option(help: "The idempotency key of the resolution. (default: the reservation's id)")
  var id: UUID?

  @Flag(help: "Allow more credits than are held, if they are available.")
  var allowOverrun = false

  @Flag(help: "Change nothing, and show what the command would do.")
  var dryRun = false

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.admin.resolve(
        reservation, of: try await user.id(client), credits: credits, resolutionID: id,
        allowOverrun: allowOverrun, validateOnly: dryRun)
      var record = Record([
        "reservation_id": .text(reservation.wireText),
        "state": .text(response.reservation?.state.name ?? ""),
        "committed": .number(response.reservation?.committed ?? 0),
        "remaining_annual": .number(response.usage?.remainingAnnual ?? 0),
        "replayed": .flag(response.replayed),
      ])
      if dryRun { record.fields.append(("dry_run", .flag(true))) }
      try await connection.output.write(record)
    }
  }
}
