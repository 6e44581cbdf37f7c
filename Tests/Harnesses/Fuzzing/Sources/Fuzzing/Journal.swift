import Logging
import NIOConcurrencyHelpers

/// The log of a run, which records whether the server has logged that it closes a connection.
struct Journal: LogHandler {
  private let closing = NIOLockedValueBox(false)
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  var saysClosing: Bool { closing.withLockedValue { $0 } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let text = "\(event.message)"
    if text.hasPrefix("closing") { closing.withLockedValue { $0 = true } }
  }
}
