internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams

struct WatchMockups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print a user's mockups as they change, until interrupted.",
    discussion: """
      Prints a line for each change, with the mockup, its status, its scene, the credits charged, \
      and the URL of its picture or its error. In JSON each line has a resume_token, with which \
      --from continues. The first line is printed at once and has only a resume_token. If the \
      server becomes unavailable, the command waits for it and misses no change.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(help: "Continue after the change with this resume_token. (default: from now on)")
  var from: String?

  @Flag(help: "Begin with the current state of every mockup.")
  var current = false

  @Option(help: "The output format: text for people (table), or JSON for programs (json, jsonl).")
  var output = OutputFormat.table

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard from != "" else {
      throw ValidationError("--from has no token; leave the option out to begin now")
    }
    guard from == nil || !current else {
      throw ValidationError("--current cannot be combined with --from")
    }
    guard output != .csv else {
      throw ValidationError("a watch has no output in CSV, since its events have different fields")
    }
  }

  func run() async throws {
    do {
      try await MockupClient.withConnection(to: .unixSocket(path: try server.path)) { client in
        let events = client.mockups.watch(
          of: try await user.id(client), from: from, startsWithCurrent: current)
        for try await event in events {
          if let record = record(of: event) {
            try await StandardOutput.write(output.line(record))
          }
        }
      }
    } catch let error as RPCError where error.code == .invalidArgument {
      throw CommandError(answer: error, token: "--from")
    }
  }

  /// Returns the record to print for an event.
  ///
  /// The beginning of the watch is printed in JSON only: it has no other information than its
  /// token.
  private func record(of event: MockupEvent) -> Record? {
    var record: Record
    switch event.change {
    case .began:
      guard output != .table else { return nil }
      record = Record([:])
    case .changed(let mockup) where output != .table:
      record = Record(mockup)
    case .changed(let mockup):
      let credits = mockup.creditsUsed == 1 ? "1 credit" : "\(mockup.creditsUsed) credits"
      let remark = mockup.errorMessage.isEmpty ? mockup.fileURL : mockup.errorMessage
      record = Record([
        "mockup_id": .text(mockup.mockupID),
        "status": .text(mockup.status.name),
        "scene": .text(mockup.scene),
        "credits_used": .text(credits),
        "remark": .text(remark),
      ])
    case .deleted(let id):
      record = Record(["mockup_id": .text(id.wireText), "status": .text("deleted")])
    }
    if output != .table { record.fields.append(("resume_token", .text(event.resumeToken))) }
    return record
  }
}
