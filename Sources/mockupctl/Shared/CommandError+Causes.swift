internal import StandardStreams
internal import TTRPC

extension CommandError {
  /// Creates the error of a failed call: its status code, its message and its details.
  init(_ error: RPCError) {
    self.init(
      lines: [error.description] + error.details.flatMap(\.lines), exitCode: error.code.exitCode)
  }

  /// Creates the error of a call of `MockupClient`: its message, and its code if it is a defect.
  ///
  /// - Parameter token: The name of the field `resume_token` on the command line.
  init(answer error: RPCError, token: String = "--after") {
    let isDefect = error.code == .internalError || error.code == .unknown
    let message = error.isAboutField ? error.message(token: token) : error.message
    self.init(isDefect ? error.description : message, exitCode: error.code.exitCode)
  }

  /// True if the server has refused the call, which had no effect, and would refuse it again.
  var isRefusal: Bool {
    StatusCode.refusals.contains { $0.exitCode == exitCode }
  }

  /// Creates the error to show for a thrown error; `nil` for an error of the argument parser.
  init?(thrown error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as RPCError: self.init(error)
    default: return nil
    }
  }
}

extension ErrorDetail {
  fileprivate var lines: [String] {
    switch self {
    case .badRequest(let violations): violations.map { "  \($0.field): \($0.description)" }
    case .retryInfo(let delay): ["  retry after \(delay)"]
    // For programs, which decide by it whether the ids may be used again.
    case .noEffect: []
    case .errorInfo(let reason, let domain): ["  \(domain): \(reason)"]
    case .other(let typeURL, let value): ["  \(typeURL): \(value.count) bytes"]
    }
  }
}

extension StatusCode {
  fileprivate static let refusals: [StatusCode] = [
    .invalidArgument, .notFound, .failedPrecondition, .permissionDenied,
  ]
}

extension RPCError {
  /// The options and arguments for the fields of requests whose names differ from them.
  private static let options = [
    "time_to_live_seconds": "--time-to-live", "lease_seconds": "--lease",
    "wait_seconds": "--wait", "annual_budget": "--annual", "monthly_soft_limit": "--monthly",
    "first_day": "--from", "last_day": "--through", "asset_ids": "--asset", "scenes": "--scene",
    "file_url": "--file-url", "file_key": "--file-key", "thumbnail_url": "--thumbnail-url",
    "dm_render_id": "--dm-render-id", "dm_metadata_json": "--dm-metadata-json",
    "quality_score": "--quality-score", "dm_template_url": "--dm-template-url",
    "preview_url": "--preview-url", "recommended_collections": "--collection",
    "smart_object": "--smart-object", "default_size": "--size", "position": "--position",
    "rotation": "--rotation", "scale": "--scale", "other_json": "--other-config",
  ]

  fileprivate var isAboutField: Bool {
    code == .invalidArgument
      && details.contains { if case .badRequest = $0 { true } else { false } }
  }

  /// Returns the message with the names of the command line in place of those of fields.
  fileprivate func message(token: String) -> String {
    var options = Self.options
    options["resume_token"] = token
    let words = message.split(separator: " ", omittingEmptySubsequences: false)
    return words.enumerated().map { index, word in
      // The message begins with a field. Another word is one only if it has an underscore.
      guard index == 0 || word.contains("_") else { return String(word) }
      return options[word.fieldName] ?? String(word)
    }.joined(separator: " ")
  }
}

extension Substring {
  /// The name in the path of a field: `scale` in `config.scale`, and `recommended_collections` in
  /// `recommended_collections.names[0]`.
  fileprivate var fieldName: String {
    let parts = split(separator: ".")
    let name = hasPrefix("config") ? parts.last : parts.first
    return String((name ?? self).prefix { $0 != "[" })
  }
}
