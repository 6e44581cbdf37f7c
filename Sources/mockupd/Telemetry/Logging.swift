internal import Foundation
internal import Glibc
internal import Logging
internal import StandardStreams
internal import VisibleText

/// The format of log lines on standard error.
enum LogFormat: String, CaseIterable {
  /// Time, level, message and `key=value` fields, for people.
  case text
  /// One JSON object per line.
  case json
  /// The text without its time, after the priority in the form that journald reads.
  case journal
}

/// The program's log on standard error.
///
/// A reader that is slow or closed does not block the program: lines are dropped instead.
struct Log: Sendable {
  /// The time limit for writing the last lines before the program exits.
  static let flushTime: Duration = .seconds(1)

  let logger: Logger
  private let format: LogFormat
  private let writer: LineWriter

  /// Creates the log.
  ///
  /// - Parameter onLoss: The closure that is called for each line that is dropped because too many
  ///   lines wait for the reader.
  init(_ settings: Settings, onLoss: @escaping @Sendable () -> Void) {
    self.init(settings.logFormat, level: settings.logLevel, onLoss: onLoss)
  }

  init(
    _ format: LogFormat, level: Logger.Level, onLoss: @escaping @Sendable () -> Void = {}
  ) {
    let writer = LineWriter(STDERR_FILENO, onLoss: onLoss) { lost in
      format.line(
        .now, .warning, "log lines were lost: the reader of standard error is too slow",
        ["lines": "\(lost)"])
    }
    var logger = Logger(label: "mockupd") { _ in LineLogHandler(format: format, writer: writer) }
    logger.logLevel = level
    self.logger = logger
    self.format = format
    self.writer = writer
  }

  /// Writes the error that ends the program, whatever the lowest level that is logged.
  func writeEnd(because message: String) {
    writer.write(format.line(.now, .error, message.onOneLine, [:]))
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

/// A log handler that formats each event as a line and passes it to the log's writer.
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
  /// The maximum length of a field's value in UTF-8 bytes, because peers determine some values.
  static let maxValueBytes = 4096

  /// Formats an event as a line, with control and other invisible characters escaped.
  ///
  /// In text format, a value with spaces, quotes or `=` is quoted, so that it cannot forge fields.
  func line(
    _ time: Date, _ level: Logger.Level, _ message: String, _ fields: [String: String]
  ) -> String {
    let time = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    let fields = fields.mapValues { $0.cut(toBytes: Self.maxValueBytes) }
    var text: String {
      let pairs = fields.sorted { $0.key < $1.key }.map { " \($0.visible())=\($1.logValue)" }
      return message.visible() + pairs.joined()
    }
    switch self {
    case .text: return "\(time) \(level) \(text)"
    case .journal: return "<\(level.priority)>\(text)"
    case .json:
      let all = fields.merging(["time": time, "level": level.rawValue, "message": message]) {
        $1
      }
      let members = all.sorted { $0.key < $1.key }.map { "\($0.jsonLiteral):\($1.jsonLiteral)" }
      return "{" + members.joined(separator: ",") + "}"
    }
  }
}

extension Logger.Level {
  /// The priority of syslog(3), which journald reads at the start of a line; see sd-daemon(3).
  fileprivate var priority: Int32 {
    switch self {
    case .critical: LOG_CRIT
    case .error: LOG_ERR
    case .warning: LOG_WARNING
    case .notice: LOG_NOTICE
    case .info: LOG_INFO
    case .debug, .trace: LOG_DEBUG
    }
  }
}

extension String {
  /// The text as a field's value in text format, quoted if needed.
  fileprivate var logValue: String {
    let isPlain = !isEmpty && utf8.allSatisfy { !" \"=\\".utf8.contains($0) }
    guard !isPlain else { return visible() }
    let escaped = replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped.visible())\""
  }

  /// Returns the text, truncated to the limit with its full length appended.
  fileprivate func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    return String(decoding: utf8.prefix(limit), as: UTF8.self) + "… (\(utf8.count) bytes)"
  }
}
