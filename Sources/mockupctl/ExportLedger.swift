internal import ArgumentParser
internal import Foundation
internal import MockupClient

struct ExportLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a user's whole ledger, the oldest entry first, for other programs.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "Only this year.")
  var year: Int?

  @Flag(help: "Comma-separated values with a line of names; or a JSON object a line.")
  var format = ExportFormat.csv

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await Connection.run(at: server, timeout: nil) { client in
      let output = StandardOutput()
      if format == .csv { try await output.write(line: Record(CreditUsageEntry()).names) }
      try await client.credits.export(of: user, year: year) { piece in
        var lines = ""
        for entry in piece.entries { lines += try format.line(Record(entry)) + "\n" }
        try await output.write(lines)
      }
    }
  }
}

enum ExportFormat: EnumerableFlag {
  case csv
  case json

  fileprivate func line(_ record: Record) throws -> String {
    switch self {
    case .csv: record.values
    case .json: try record.json
    }
  }
}

extension Record {
  /// The names of its fields, with commas between.
  fileprivate var names: String { fields.map(\.name).joined(separator: ",") }

  /// Its values, with commas between: an entry has no text in which there are any.
  fileprivate var values: String {
    fields.map { field in
      if case .nothing = field.value { "" } else { "\(field.value.forPrograms)" }
    }.joined(separator: ",")
  }

  fileprivate var json: String {
    get throws {
      let data = try JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
      return String(decoding: data, as: UTF8.self)
    }
  }
}
