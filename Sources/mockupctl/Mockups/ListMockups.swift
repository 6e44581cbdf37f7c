internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ListMockups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List a user's mockups, the newest first.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(help: "Only mockups of this asset.")
  var asset: UUID?

  @Option(help: "Only mockups for this quote.")
  var quote: UUID?

  @Option(help: "Only mockups in this scene.")
  var scene: String?

  @Option(help: "Only mockups in this status.")
  var status: MockupStatusArgument?

  @Option(
    parsing: .unconditional,
    help: "The maximum number of mockups; 0 lists all. (default: \(Connection.defaultLimit))",
    transform: Int.atLeast(0))
  var limit: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let mockups = client.mockups.list(
        of: try await user.id(client), asset: asset, quote: quote, scene: scene,
        status: status?.value)
      try await connection.write(
        mockups, limit: limit, { Record($0) }, row: { Record(row: $0) })
    }
  }
}

/// A status of a mockup, on the command line.
enum MockupStatusArgument: String, ExpressibleByArgument, CaseIterable {
  case pending
  case generating
  case completed
  case failed
  case approved
  case rejected

  var value: MockupStatus {
    switch self {
    case .pending: .pending
    case .generating: .generating
    case .completed: .completed
    case .failed: .failed
    case .approved: .approved
    case .rejected: .rejected
    }
  }
}
