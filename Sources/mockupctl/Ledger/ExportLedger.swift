internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams

struct ExportLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Export the entries of a user's ledger, the oldest first, as CSV or JSON.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(parsing: .unconditional, help: "Only entries of this year.", transform: Int.atLeast(1))
  var year: Int?

  @Flag(help: "Comma-separated values with a header line, or a JSON object on each line.")
  var format = ExportFormat.csv

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await Connection.run(at: server, timeout: nil) { client in
      if format == .csv {
        let names = Record(CreditUsageEntry()).fields.map(\.name)
        try await StandardOutput.write(line: CSV.line(names))
      }
      try await client.credits.export(of: user, year: year) { piece in
        var lines = ""
        for entry in piece.entries { lines += format.line(Record(entry)) + "\n" }
        try await StandardOutput.write(lines)
      }
    }
  }
}

/// The format of an exported ledger.
enum ExportFormat: EnumerableFlag {
  case csv
  case json

  fileprivate func line(_ record: Record) -> String {
    switch self {
    case .csv: CSV.line(record.fields.map(\.value.plain))
    case .json: record.json.text()
    }
  }
}
