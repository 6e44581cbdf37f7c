internal import ArgumentParser
internal import MockupClient

struct CompleteMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete",
    abstract: "Complete a claimed mockup with its picture, and charge its credits.",
    discussion: """
      The mockup and the attempt are the idempotency key: the same command can be repeated, and \
      charges once.

      Exits with 1 if the mockup was claimed again or the attempt has ended otherwise, and if the \
      credits exceed the held ones and an overrun is not allowed or not available. Nothing is \
      charged then.
      """)

  @OptionGroup var attempt: AttemptReference

  @Option(help: "The URL of the picture, up to 4096 bytes.")
  var fileUrl: String

  @Option(help: "The storage key of the picture, up to 4096 bytes.")
  var fileKey: String

  @Option(help: "The URL of a thumbnail, up to 4096 bytes. (default: none)")
  var thumbnailUrl: String?

  @Option(help: "The vendor's id of the render, up to 200 characters. (default: none)")
  var dmRenderId: String?

  @Option(
    help: ArgumentHelp(
      "The vendor's metadata, a JSON object of up to 65536 bytes. (default: none)",
      valueName: "json"))
  var dmMetadataJson: String?

  @Option(
    parsing: .unconditional, help: "The quality of the picture, 0 to 1. (default: not scored)")
  var qualityScore: Double?

  @Option(
    parsing: .unconditional,
    help: """
      The number of credits that the vendor charged; the rest is released. (default: all that are \
      held)
      """,
    transform: Int.atLeast(0))
  var credits: Int?

  @Flag(help: "Allow --credits to exceed the held credits, by up to the available ones.")
  var allowOverrun = false

  @OptionGroup var connection: Connection

  func validate() throws {
    guard !allowOverrun || credits != nil else {
      throw ValidationError(
        "--allow-overrun needs --credits; without it, the held credits are charged")
    }
  }

  func run() async throws {
    var completion = MockupCompletion(fileURL: fileUrl, fileKey: fileKey, credits: credits)
    completion.thumbnailURL = thumbnailUrl ?? ""
    completion.renderID = dmRenderId ?? ""
    completion.metadataJSON = dmMetadataJson ?? ""
    completion.qualityScore = qualityScore
    completion.allowsOverrun = allowOverrun
    try await connection.run { client in
      let response = try await client.mockups.complete(attempt.claimed, completion)
      try await connection.output.write(
        Record(response.mockup, usage: response.usage, isReplayed: response.replayed))
    }
  }
}
