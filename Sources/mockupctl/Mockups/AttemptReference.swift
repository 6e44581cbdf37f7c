internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

/// The user and the id of a claimed mockup, and the number of the attempt, as arguments.
struct AttemptReference: ParsableArguments {
  @OptionGroup var reference: MockupReference

  @Option(
    parsing: .unconditional, help: "The number of the attempt, as the claim printed it.",
    transform: Int32.atLeast(1))
  var attempt: Int32

  /// The claimed mockup, with only the fields that identify the attempt.
  var claimed: ClaimedMockup {
    ClaimedMockup(
      mockup: Mockup(mockupID: reference.mockup.wireText, userID: reference.user.wireText),
      attempt: attempt)
  }
}
