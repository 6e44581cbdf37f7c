internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct MockupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockups",
    abstract: "Look at mockups, and decide what becomes of them.",
    subcommands: [
      ListMockups.self, ShowMockup.self, ApproveMockup.self, RejectMockup.self,
      RegenerateMockup.self, DeleteMockup.self, WatchMockups.self,
    ])
}

/// Which mockup a command is about.
struct MockupReference: ParsableArguments {
  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The mockup's id.")
  var mockup: UUID
}

struct ListMockups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List a user's mockups, the newest first.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "Only this asset's.")
  var asset: UUID?

  @Option(help: "Only this quote's.")
  var quote: UUID?

  @Option(help: "Only in this scene.")
  var scene: String?

  @Option(help: "Only of this status.")
  var status: KnownStatus?

  @Option(parsing: .unconditional, help: "At most so many; 0: all.", transform: Int.atLeast(0))
  var limit = 50

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      var mockups: [Record] = []
      let list = client.mockups.list(
        of: user, asset: asset, quote: quote, scene: scene, status: status?.value)
      for try await mockup in list {
        mockups.append(Record(listed: mockup))
        if mockups.count == limit { break }
      }
      try await connection.output.write(mockups)
    }
  }
}

struct ShowMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a mockup as it is now.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.mockups.mockup(reference.mockup, of: reference.user)))
    }
  }
}

struct ApproveMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Approve a completed mockup.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.mockups.approve(reference.mockup, of: reference.user)))
    }
  }
}

struct RejectMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Reject a completed mockup.")

  @OptionGroup var reference: MockupReference

  @Option(help: "Why, in up to 2000 characters.")
  var reason = ""

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(
          try await client.mockups.reject(
            reference.mockup, of: reference.user, reason: reason)))
    }
  }
}

struct RegenerateMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "regenerate",
    abstract: "Ask for a mockup once more; its picture is cleared away.")

  @OptionGroup var reference: MockupReference

  @Option(help: "The request's id; the same id again gives the same answer. (default: a new one)")
  var id: UUID?

  @Flag(help: "Completed, it is approved at once.")
  var skipApproval = false

  @Option(parsing: .unconditional, help: "What it may cost, up to 1000.", transform: Int.atLeast(1))
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
          "status": .id(response.mockup?.status.word ?? ""),
          "reservation_id": .id(response.mockup?.reservationID ?? ""),
          "soft_limit_passed": .flag(response.usage?.softLimitPassed ?? false),
          "replayed": .flag(response.replayed),
        ]))
      if !response.success { throw ExitCode(1) }
    }
  }
}

struct DeleteMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a mockup; credits that no worker has begun to spend come back.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.mockups.delete(reference.mockup, of: reference.user)
      try await connection.output.write(
        Record([
          "mockup_id": .text(reference.mockup.wireText),
          "deleted": .flag(response.deleted),
          "released": .number(response.released),
        ]))
    }
  }
}

/// A status that a mockup may have.
enum KnownStatus: String, ExpressibleByArgument, CaseIterable {
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
