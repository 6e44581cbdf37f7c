import Logging
import NIOConcurrencyHelpers

/// Takes the log of a run, and knows whether it says that a connection is given up.
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
