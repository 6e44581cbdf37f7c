internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct MockupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockups",
    abstract: "List, show, watch, review, regenerate or delete mockups.",
    subcommands: [
      ListMockups.self, ShowMockup.self, ApproveMockup.self, RejectMockup.self,
      RegenerateMockup.self, DeleteMockup.self, WatchMockups.self,
    ])
}

/// The user and the id of a mockup, as arguments.
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

  @Option(help: "Only mockups of this asset.")
  var asset: UUID?

  @Option(help: "Only mockups for this quote.")
  var quote: UUID?

  @Option(help: "Only mockups in this scene.")
  var scene: String?

  @Option(help: "Only mockups in this status.")
  var status: KnownStatus?

  @Option(
    parsing: .unconditional, help: "The maximum number of mockups; 0 lists all.",
    transform: Int.atLeast(0))
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
    commandName: "show", abstract: "Show a mockup in its current state.")

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

  @Option(help: "The reason, up to 2000 characters.")
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
    parsing: .unconditional, help: "The number of credits to reserve, up to 1000.",
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
    abstract: "Delete a mockup, and release its credits unless a worker has claimed it.")

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

/// A status of a mockup, on the command line.
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
