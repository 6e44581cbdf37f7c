internal import ArgumentParser
internal import MockupClient

struct FailMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail",
    abstract: "End the attempt of a claimed mockup without a picture.",
    discussion: """
      The mockup fails and its credits are released. With --may-retry it is pending again while it \
      has attempts left, and its credits stay held for the next claim.

      The credits are not released if the vendor may have charged: with --may-be-charged, or if an \
      earlier attempt of the mockup may have been charged. If the mockup fails then, its \
      reservation is unresolved, for "reservations resolve".

      The mockup and the attempt are the idempotency key: the same command can be repeated. Exits \
      with 1 if the mockup was claimed again or the attempt has ended otherwise.
      """)

  @OptionGroup var attempt: AttemptReference

  // Unconditional, since a vendor's message may begin like an option.
  @Option(
    parsing: .unconditional,
    help: "The reason, for people; of a longer one, only the first 2000 characters are sent.")
  var message: String

  @Flag(help: "Allow another attempt, or fail the mockup.")
  var retry = Retry.noRetry

  @Flag(help: "The vendor may have charged for this attempt.")
  var mayBeCharged = false

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.mockups.fail(
        attempt.claimed, error: message, mayRetry: retry == .mayRetry, mayBeCharged: mayBeCharged)
      try await connection.output.write(
        Record(response.mockup, usage: response.usage, isReplayed: response.replayed))
    }
  }

  /// The next status of the mockup.
  enum Retry: EnumerableFlag {
    case mayRetry
    case noRetry
  }
}
