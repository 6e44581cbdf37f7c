internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ListReservations: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List a user's reservations, the newest first.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(help: "Only reservations in this state; can be repeated.")
  var state: [ReservationStateArgument] = []

  @Option(help: "Only reservations of this group.")
  var group: UUID?

  @Option(help: "Only reservations for this mockup.")
  var mockup: UUID?

  @Option(
    parsing: .unconditional,
    help: "The maximum number of reservations; 0 lists all. (default: \(Connection.defaultLimit))",
    transform: Int.atLeast(0))
  var limit: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let reservations = client.credits.reservations(
        of: try await user.id(client), in: state.map(\.value), group: group, mockup: mockup)
      try await connection.write(
        reservations, limit: limit, { Record($0) }, row: { Record(row: $0) })
    }
  }
}

/// A reservation's state on the command line.
enum ReservationStateArgument: String, ExpressibleByArgument, CaseIterable {
  case held
  case dispatched
  case unresolved
  case committed
  case released
  case expired
  case refused

  var value: ReservationState {
    switch self {
    case .held: .held
    case .dispatched: .dispatched
    case .unresolved: .unresolved
    case .committed: .committed
    case .released: .released
    case .expired: .expired
    case .refused: .refused
    }
  }
}
