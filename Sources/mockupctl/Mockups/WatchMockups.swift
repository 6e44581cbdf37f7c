internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams

struct WatchMockups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print a user's mockups as they change, without end.",
    discussion: """
      A line for each change: the mockup, its status, its scene, what was charged, and its picture or \
      its error. As JSON each has a resume_token, after which --from goes on; the first line, which \
      comes at once, has nothing else. A server that goes away meanwhile is waited for, and nothing is \
      missed.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "The resume_token after which to go on. (default: from now)")
  var from: String?

  @Flag(help: "Begin with every mockup as it stands now.")
  var current = false

  @Option(help: "Lines for people, or json for programs.")
  var output = OutputFormat.table

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard from == nil || !current else {
      throw ValidationError("--current cannot be combined with --from")
    }
  }

  func run() async throws {
    try await MockupClient.withConnection(to: .unixSocket(path: try server.path)) { client in
      let events = client.mockups.watch(of: user, from: from, startsWithCurrent: current)
      for try await event in events {
        if let record = record(of: event) {
          try await StandardOutput.write(line: output.line(record))
        }
      }
    }
  }

  /// What is said of a change; people need not be told that nothing has changed yet.
  private func record(of event: MockupEvent) -> Record? {
    var record: Record
    switch event.change {
    case .began:
      guard output == .json else { return nil }
      record = Record([:])
    case .changed(let mockup) where output == .json:
      record = Record(mockup)
    case .changed(let mockup):
      let credits = mockup.creditsUsed == 1 ? "1 credit" : "\(mockup.creditsUsed) credits"
      let remark = mockup.errorMessage.isEmpty ? mockup.fileURL : mockup.errorMessage
      record = Record([
        "mockup_id": .text(mockup.mockupID),
        "status": .text(mockup.status.word),
        "scene": .text(mockup.scene),
        "credits_used": .text(credits),
        "remark": .text(remark),
      ])
    case .deleted(let id):
      record = Record(["mockup_id": .text(id.wireText), "status": .text("deleted")])
    }
    if output == .json { record.fields.append(("resume_token", .text(event.resumeToken))) }
    return record
  }
}
