internal import ArgumentParser

struct ReservationsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reservations", abstract: "List or resolve a user's reservations.",
    subcommands: [
      ListReservations.self, ResolveReservation.self,
    ],
    defaultSubcommand: ListReservations.self)
}
