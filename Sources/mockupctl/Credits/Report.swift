internal import ArgumentParser
internal import Foundation
internal import MockupClient
internal import MockupPages
internal import StandardStreams

struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the page of a user, as mockup-console shows it, to a file.",
    discussion: """
      The file is complete: it loads no style, no script and no pictures. Requires the role admin \
      or reader.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(
    parsing: .unconditional, help: "The year. (default: the current year)",
    transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "A month to show by day, 1 to 12.", transform: Int.atLeast(1))
  var month: Int?

  @Option(
    help: ArgumentHelp("The file to write; - for standard output.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var html: String

  @Option(parsing: .unconditional, help: "Seconds to wait for a response.")
  var timeout = Seconds.forOneAnswer

  @OptionGroup var server: ServerAddress

  func validate() throws {
    if let year, year > 9999 { throw ValidationError("--year must be at most 9999") }
    if let month, month > 12 { throw ValidationError("--month must be at most 12") }
  }

  func run() async throws {
    try await Connection.run(at: server, timeout: timeout.duration) { client in
      let now = Timestamp(Date())
      let report = try await UserReport.load(
        client, user: try await user.id(client), year: year ?? Day(now).year, month: month,
        now: now)
      let page = UserPage(report)
      let text = page.html(in: .file(page.title), as: .file)
      guard html != "-" else { return try await StandardOutput.write(text) }
      do {
        try Data(text.utf8).write(to: URL(filePath: html), options: .atomic)
      } catch {
        throw CommandError(
          "cannot write \(html): \(plainText(ofFileError: error))",
          exitCode: CommandError.inputOutput)
      }
    }
  }
}
