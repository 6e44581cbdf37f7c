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

  @Option(help: "How many credits; the rest is free again. (default: all)")
  var credits: Int?

  @Option(
    help: "The commit's id; the same id again gives the same answer. (default: the reservation's)")
  var commitId: UUID?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.commit(
        reservation, of: user, credits: credits, commitID: commitId)
      try connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.word ?? ""),
          "committed": .number(response.committed),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "late": .flag(response.late),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Give back what a reservation holds.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.release(reservation, of: user)
      try connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.word ?? ""),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}
