public import MockupClient
internal import MockupVersion

/// The page of the server's state.
public struct ServerPage: Sendable {
  /// The state of mockupd and of its database.
  public var info: GetServerInfoResponse
  /// The time that the call took.
  public var callTime: Duration

  /// Creates the page.
  public init(info: GetServerInfoResponse, callTime: Duration) {
    self.info = info
    self.callTime = callTime
  }

  /// The title of the page.
  public static let title = "Server"

  private var facts: [Fact] {
    let now = info.now ?? Timestamp()
    let milliseconds = callTime / .milliseconds(1)
    return [
      Fact(name: "mockupd", value: info.version),
      Fact(name: "mockup-console", value: Version.text),
      Fact(name: "Database", value: String(info.databaseVersion.prefix { $0 != "(" && $0 != "," })),
      Fact(name: "Schema", value: "version \(info.schemaVersion)"),
      Fact(name: "Answers in", value: "\(Display.decimal(milliseconds)) ms"),
      Fact(
        name: "Running for",
        value: info.startedAt.map { TimeText.age(since: $0, now: now) } ?? "–"),
      Fact(name: "Started", value: TimeText.minute(info.startedAt)),
      Fact(name: "Process", value: "\(info.processID)"),
      Fact(name: "Connections", value: Display.number(Int64(info.openConnections))),
      Fact(name: "Calls in flight", value: Display.number(Int64(info.callsInFlight))),
      Fact(name: "Pending mockups", value: Display.number(info.pendingMockups)),
      Fact(
        name: "Unresolved reservations", value: Display.number(info.unresolvedReservations),
        isBad: info.unresolvedReservations > 0),
    ]
  }

  /// Returns the page as HTML.
  public func html(in frame: PageFrame) -> String {
    struct Model {
      var frame: PageFrame
      var lead: String
      var isBad: Bool
      var facts: [Fact]
    }
    let hasOtherVersion = info.version != Version.text
    return Templates.render(
      Model(
        frame: frame,
        lead: "mockupd answers."
          + (hasOtherVersion ? " Its version differs from that of the console." : ""),
        isBad: hasOtherVersion, facts: facts),
      with: "server")
  }

  /// The state as comma-separated values, with a header line.
  public var csv: String {
    CSV.line([.text("name"), .text("value")])
      + facts.map { CSV.line([.text($0.name), .text($0.value)]) }.joined()
  }
}
