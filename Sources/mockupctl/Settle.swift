internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Commit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Spend what a reservation holds, or a part of it.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional, help: "How many credits; the rest is free again. (default: all)",
    transform: Int.atLeast(0))
  var credits: Int?

  @Option(
    help: "The commit's id; the same id again gives the same answer. (default: the reservation's)")
  var commitId: UUID?

  @Flag(help: "Keep the rest set aside for more commits, each with a --commit-id of its own.")
  var notFinal = false

  @Flag(help: "Spend more than is left, if that is available.")
  var allowOverrun = false

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.commit(
        reservation, of: user, credits: credits, commitID: commitId, isFinal: !notFinal,
        allowsOverrun: allowOverrun)
      try await connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.word ?? ""),
          "committed": .number(response.committed),
          "overrun": .number(response.overrun),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "late": .flag(response.late),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give back what a reservation holds, or the open ones of a group.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID?

  @Option(help: "The group's id, in place of a reservation's.")
  var group: UUID?

  @OptionGroup var connection: Connection

  func validate() throws {
    guard (reservation == nil) != (group == nil) else {
      throw ValidationError("give a reservation's id, or a group's with --group")
    }
  }

  func run() async throws {
    try await connection.run { client in
      let response: ReleaseReservationResponse
      if let group {
        response = try await client.credits.releaseGroup(group, of: user)
      } else if let reservation {
        response = try await client.credits.release(reservation, of: user)
      } else {
        return
      }
      try await connection.output.write(
        Record([
          "reservation_id": .id(response.reservation?.reservationID ?? ""),
          "state": .id(response.reservation?.state.word ?? ""),
          "reservations": .number(response.reservations),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}
