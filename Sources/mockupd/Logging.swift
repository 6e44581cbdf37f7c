internal import Foundation
internal import Glibc
internal import Logging
internal import StandardStreams
internal import VisibleText

/// How log lines are written to standard error.
enum LogFormat: String, CaseIterable {
  /// For people.
  case text
  /// A JSON object a line.
  case json
}

/// The program's log on standard error. A reader that is slow, or has gone, holds up nothing.
struct Log: Sendable {
  /// How long the last lines may take to be written before the program ends.
  static let flushTime: Duration = .seconds(1)

  let logger: Logger
  private let writer: LineWriter

  /// - Parameter onLoss: Called for each line that is lost because too many wait for the reader.
  init(_ settings: Settings, onLoss: @escaping @Sendable () -> Void) {
    let format = settings.logFormat
    let writer = LineWriter(STDERR_FILENO, onLoss: onLoss) { lost in
      format.line(
        .now, .warning, "log lines were lost: the reader of standard error is too slow",
        ["lines": "\(lost)"])
    }
    var logger = Logger(label: "mockupd") { _ in LineLogHandler(format: format, writer: writer) }
    logger.logLevel = settings.logLevel
    self.logger = logger
    self.writer = writer
  }

  /// Waits until the lines are written, for up to ``flushTime``.
  func flush() async {
    _ = await writer.flush(within: Self.flushTime)
  }
}

extension String {
  /// The text with its lines joined by semicolons, for a line of the log.
  var onOneLine: String { split(whereSeparator: \.isNewline).joined(separator: "; ") }
}

/// Hands each event as a line to the log's writer.
struct LineLogHandler: LogHandler {
  let format: LogFormat
  let writer: LineWriter
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues(\.description)
    if let error = event.error { fields["error"] = "\(error)" }
    writer.write(format.line(.now, event.level, event.message.description, fields))
  }
}

extension LogFormat {
  /// The longest value of a field, in UTF-8 bytes: a peer decides what some of them hold.
  static let maxValueBytes = 4096

  /// One event as a line, in which nothing that is hidden in a text is left as it is.
  ///
  /// As text, a value with spaces, quotes or `=` in it is quoted, so that it cannot pass for fields.
  func line(
    _ time: Date, _ level: Logger.Level, _ message: String, _ fields: [String: String]
  ) -> String {
    let time = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    let fields = fields.mapValues { $0.cut(toBytes: Self.maxValueBytes) }
    switch self {
    case .text:
      let pairs = fields.sorted { $0.key < $1.key }.map { " \($0.visible())=\($1.logValue)" }
      return "\(time) \(level) \(message.visible())" + pairs.joined()
    case .json:
      let all = fields.merging(["time": time, "level": level.rawValue, "message": message]) {
        $1
      }
      let members = all.sorted { $0.key < $1.key }.map { "\($0.jsonLiteral):\($1.jsonLiteral)" }
      return "{" + members.joined(separator: ",") + "}"
    }
  }
}

extension String {
  /// The text as the value of a field of a text log.
  fileprivate var logValue: String {
    let isPlain = !isEmpty && utf8.allSatisfy { !" \"=\\".utf8.contains($0) }
    guard !isPlain else { return visible() }
    let escaped = replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped.visible())\""
  }

  /// The beginning of a long text, and how much of it is missing.
  fileprivate func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    return String(decoding: utf8.prefix(limit), as: UTF8.self) + "… (\(utf8.count) bytes)"
  }
}
