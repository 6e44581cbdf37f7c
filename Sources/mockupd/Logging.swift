internal import Foundation
internal import Logging

/// How log lines are written to standard error.
enum LogFormat: String, CaseIterable {
  /// For people.
  case text
  /// A JSON object a line.
  case json
}

extension Settings {
  func makeLogger() -> Logger {
    var logger = Logger(label: "mockupd") { label in
      switch logFormat {
      case .text: StreamLogHandler.standardError(label: label)
      case .json: JSONLogHandler()
      }
    }
    logger.logLevel = logLevel
    return logger
  }
}

extension String {
  /// The text with its lines joined by semicolons, for a line of the log.
  var onOneLine: String { split(whereSeparator: \.isNewline).joined(separator: "; ") }
}

/// Writes a JSON object for each line: `time`, `level`, `message`, and the metadata by its own keys.
struct JSONLogHandler: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues(\.description)
    fields["time"] = Date().formatted(.iso8601.time(includingFractionalSeconds: true))
    fields["level"] = event.level.rawValue
    fields["message"] = event.message.description
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Text and text: nothing that cannot be encoded.
    guard var line = try? encoder.encode(fields) else { return }
    line.append(UInt8(ascii: "\n"))
    FileHandle.standardError.write(line)
  }
}
